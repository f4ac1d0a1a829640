"""The objects of `-f`: InferenceCostPolicies, CapacityPools and InferenceCostCheckpoints, as for the cluster."""

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml

from inference_cost.api.capacity_pool import CapacityPool
from inference_cost.api.checkpoint import InferenceCostCheckpoint
from inference_cost.api.group import API_VERSION, CAPACITY_POOL, CHECKPOINT, POLICY
from inference_cost.api.metadata import TopLevel
from inference_cost.api.parse import (
    InvalidObjectError,
    parse_capacity_pool,
    parse_checkpoint,
    parse_policy,
)
from inference_cost.cli.backtest.text_file import FileRead
from inference_cost.cli.failure import CommandError, ExitCode
from inference_cost.model.observation import PolicyRefusal
from inference_cost.model.policy import LatencyObjective, Mode, Policy
from inference_cost.observe.extract import policy_record
from inference_cost.observe.policies import parse_record

T = TypeVar("T", bound=TopLevel)

STDIN = "-"
LARGEST_BYTES = 64 << 20
KINDS = (POLICY.kind, CAPACITY_POOL.kind, CHECKPOINT.kind)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """What `-f` holds. Policies are in order, ready to be run: Enforce, not paused, with a latency objective."""

    policies: tuple[Policy, ...]
    pools: tuple[CapacityPool, ...]
    checkpoints: Mapping[tuple[str, str], InferenceCostCheckpoint]  # by namespace and name
    files: tuple[FileRead, ...]


@dataclass(frozen=True, slots=True)
class _Document:
    """One object and where it stands, for messages."""

    where: str
    content: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.content.get("kind"))

    @property
    def name(self) -> str:
        return str((self.content.get("metadata") or {}).get("name") or "")

    def namespace(self, default: str) -> str:
        return str((self.content.get("metadata") or {}).get("namespace") or default)


def read_objects(paths: Sequence[str], *, namespace: str) -> Objects:
    """Read the files; `-` is the standard input. `namespace`: of objects that name none.

    Raises:
        CommandError: a file or an object is not what it should be; says where and what to do.
    """
    documents: list[_Document] = []
    files: list[FileRead] = []
    for path in paths:
        name, data = _bytes(path)
        documents += _documents(name, data)
        files.append(FileRead(role="objects", name=name, sha256=hashlib.sha256(data).hexdigest()))
    _require_pools_of_references(documents)
    pools = tuple(_parse(parse_capacity_pool, d) for d in documents if d.kind == CAPACITY_POOL.kind)
    _require_unique(documents, namespace)
    return Objects(
        policies=tuple(_policy(d, namespace) for d in documents if d.kind == POLICY.kind),
        pools=pools,
        checkpoints={
            (d.namespace(namespace), d.name): _parse(parse_checkpoint, d)
            for d in documents
            if d.kind == CHECKPOINT.kind
        },
        files=tuple(files),
    )


def _bytes(path: str) -> tuple[str, bytes]:
    try:
        if path == STDIN:
            return "stdin", _short(path, sys.stdin.buffer.read(LARGEST_BYTES + 1))
        with Path(path).open("rb") as file:
            return Path(path).name, _short(path, file.read(LARGEST_BYTES + 1))
    except FileNotFoundError:
        raise CommandError(f"there is no file {path}", ExitCode.NOT_FOUND) from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None


def _short(path: str, data: bytes) -> bytes:
    if len(data) > LARGEST_BYTES:
        raise CommandError(f"{path} is larger than {LARGEST_BYTES >> 20} MiB; are these objects?")
    return data


def _documents(name: str, data: bytes) -> Iterator[_Document]:
    try:
        documents = list(yaml.load_all(data, Loader=_LOADER))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CommandError(f"{name} is not YAML: {_place(error)}") from None
    if not any(document is not None for document in documents):
        raise CommandError(f"{name} holds no object")
    for number, document in enumerate(documents, start=1):
        where = f"{name}, document {number}" if len(documents) > 1 else name
        if document is not None:
            yield from _unpacked(where, document)


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    text = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"{where}{text}"


def _unpacked(where: str, document: Any) -> Iterator[_Document]:
    """The object itself, or the items of a List such as `kubectl get -o yaml` prints."""
    if isinstance(document, Mapping) and document.get("kind") == "List":
        for number, item in enumerate(document.get("items") or ()):
            yield from _unpacked(f"{where}, items[{number}]", item)
        return
    if not isinstance(document, Mapping):
        raise CommandError(f"{where}: is not an object with apiVersion, kind, metadata and spec")
    kind, version = document.get("kind"), document.get("apiVersion")
    if kind not in KINDS:
        raise CommandError(f"{where}: kind {kind} is not read here; only {', '.join(KINDS)} are")
    if version != API_VERSION:
        raise CommandError(f"{where}: apiVersion must be {API_VERSION}, not {version}")
    if not isinstance(document.get("metadata"), Mapping) or not document["metadata"].get("name"):
        raise CommandError(f"{where}: {kind} has no metadata.name; set it")
    yield _Document(where, document)


def _require_unique(documents: Sequence[_Document], namespace: str) -> None:
    seen: dict[tuple[str, str, str], str] = {}
    for one in documents:
        spaced = one.kind != CAPACITY_POOL.kind
        key = (one.kind, one.namespace(namespace) if spaced else "", one.name)
        if key in seen:
            raise CommandError(f"{one.where}: {one.kind} {one.name} is also in {seen[key]}")
        seen[key] = one.where


def _require_pools_of_references(documents: Sequence[_Document]) -> None:
    """A reference to a pool that is not there is told before anything else about the object."""
    pools = {one.name for one in documents if one.kind == CAPACITY_POOL.kind}
    for one in documents:
        for path, name in _pool_references(one.content):
            if name not in pools:
                known = ", ".join(sorted(pools)) or "none"
                raise CommandError(
                    f"{one.where}: {one.kind} {one.name}: {path}: there is no CapacityPool {name!r} in -f "
                    f"(there: {known}); add it, or correct the name"
                )


def _pool_references(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    spec = content.get("spec")
    if not isinstance(spec, Mapping):
        return
    variants = spec.get("variants")
    places = [("spec", spec)]
    if isinstance(variants, list):
        places += [(f"spec.variants[{i}]", v) for i, v in enumerate(variants)]
    for path, place in places:
        reference = place.get("poolRef") if isinstance(place, Mapping) else None
        if isinstance(reference, Mapping):
            yield f"{path}.poolRef.name", str(reference.get("name"))
        elif reference is not None:
            yield f"{path}.poolRef", str(reference)


def _parse(parse: Any, document: _Document) -> Any:
    try:
        return parse(document.content, strict=True)
    except InvalidObjectError as error:
        raise CommandError(f"{document.where}: {error.kind} {document.name}: {error}") from None


def policy_to_replay(content: Mapping[str, Any], where: str, namespace: str) -> Policy:
    """One object, ready to be run: Enforce and not paused. `where` it stands, for messages.

    Raises:
        CommandError: it is not what it should be, or cannot be replayed yet; says what to change.
    """
    return _policy(_Document(where, content), namespace)


def _policy(document: _Document, namespace: str) -> Policy:
    _parse(parse_policy, document)
    parsed = parse_record(policy_record(document.content))
    if isinstance(parsed, PolicyRefusal):
        raise CommandError(f"{document.where}: {document.name}: {parsed.message}")
    if not isinstance(parsed.objective, LatencyObjective):
        raise CommandError(
            f"{document.where}: {POLICY.kind} {document.name}: spec.slo.latency: backtest needs a latency "
            "objective for now; set it in place of queueTime or drain"
        )
    if len(parsed.variants) > 1:
        raise CommandError(
            f"{document.where}: {POLICY.kind} {document.name}: spec.variants: backtest replays one workload for now; "
            "give it scaleTargetRef; --against priced shows what placement over zones of a spot pool does"
        )
    if parsed.gpu_signal is not None:
        raise CommandError(
            f"{document.where}: {POLICY.kind} {document.name}: spec.signal: GPU utilization is not simulated; "
            "leave spec.signal out to see what the objective would need"
        )
    key = replace(parsed.key, namespace=document.namespace(namespace))
    key = replace(key, uid=key.uid or str(key))
    return replace(parsed, key=key, mode=Mode.ENFORCE, pause=None)


def checkpoint_key(policy: Policy) -> tuple[str, str]:
    """A checkpoint has the name of its policy."""
    return policy.key.namespace, policy.key.name
