"""Which resource of a bill is which node.

By the whole name where the cloud gives the node the one that it bills: Azure and Google Compute do. Else by the last
part, where no other node and no other resource has it: `arn:aws:ec2:…:instance/i-0abc` and `aws:///us-east-1a/i-0abc`
are one node. Numbers of instances, as in Azure's scale sets, are last parts that many have.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

_INSTANCE_OF_EC2 = re.compile(
    r"i-([0-9a-f]{8}|[0-9a-f]{17})"
)  # no two have one name, whatever is before it
_GOOGLE_NODE = re.compile(r"gce://([^/]+)/([^/]+)/([^/]+)")
_GOOGLE_RESOURCE = "//compute.googleapis.com/"
_AZURE_NODE = "azure://"
_AZURE = "/subscriptions/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """`node_of`: by resource. `ambiguous`: nodes that may be one of several; `unclear`: resources likewise."""

    node_of: Mapping[str, str]
    ambiguous: frozenset[str]
    unclear: frozenset[str]


def match(nodes: Mapping[str, str], resources: Iterable[str]) -> Matches:
    """`nodes`: `spec.providerID`, by name. `resources`: as the bill has them."""
    billed = set(resources)
    by_whole = _grouped(nodes, lambda name: whole_of(nodes[name]))
    node_of: dict[str, str] = {}
    for resource in billed:
        names = by_whole.get(whole_of(resource), [])
        if len(names) == 1:
            node_of[resource] = names[0]
    rest = sorted(nodes.keys() - set(node_of.values()))
    by_last = _grouped(billed - node_of.keys(), last_of)
    ambiguous: set[str] = set()
    unclear: set[str] = set()
    for last, names in _grouped(rest, lambda name: last_of(nodes[name])).items():
        told = all(map(_is_azure, map(nodes.__getitem__, names)))
        found = [one for one in by_last.get(last, ()) if not (told and _is_azure(one))]
        one_name = len(set(map(whole_of, found))) == 1 or _INSTANCE_OF_EC2.fullmatch(last)
        if found and len(names) == 1 and one_name:
            node_of |= dict.fromkeys(found, names[0])
        elif found:
            ambiguous.update(names)
            unclear.update(found)
    return Matches(node_of=node_of, ambiguous=frozenset(ambiguous), unclear=frozenset(unclear))


def whole_of(identifier: str) -> str:
    """Of a cloud's resource, or a node's `spec.providerID`: the same of both where the cloud has one name for it."""
    plain = identifier.lower().rstrip("/")
    google = _GOOGLE_NODE.fullmatch(plain)
    if google:
        project, zone, name = google.groups()
        return f"projects/{project}/zones/{zone}/instances/{name}"
    return plain.removeprefix(_AZURE_NODE).removeprefix(_GOOGLE_RESOURCE)


def last_of(identifier: str) -> str:
    return identifier.rstrip("/").replace(":", "/").rpartition("/")[2].lower()


def _is_azure(identifier: str) -> bool:
    """Its whole name is there: another one is another resource."""
    return whole_of(identifier).startswith(_AZURE)


def _grouped(all_of: Iterable[str], key_of: Callable[[str], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for one in all_of:
        found[key_of(one)].append(one)
    return found
