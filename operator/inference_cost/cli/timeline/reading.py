"""Where history comes from: Events of the policy's namespace, and logs of the operator's pods or a file."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from inference_cost.cli.cluster import Cluster
from inference_cost.cli.failure import CommandError, ExitCode
from inference_cost.cli.listing import Where, list_all, object_path, read_text
from inference_cost.cli.timeline.entries import Entry, from_events, from_log, in_order
from inference_cost.observe.kinds import POD, WatchedKind

EVENT: Final = WatchedKind(kind="Event", group="events.k8s.io", version="v1", plural="events")
OPERATOR: Final = "app.kubernetes.io/name=inference-cost-operator"
LOG_BYTES: Final = 50 << 20
EVENTS_KEPT: Final = timedelta(hours=1)
STDIN: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """`remarks`: what is not in it, and why."""

    entries: tuple[Entry, ...]
    remarks: tuple[str, ...]


def read(cluster: Cluster, namespace: str, name: str, seconds: float, log: str) -> History:
    """Of the last `seconds`. `log`: a file with the operator's log in place of its pods'.

    Raises:
        CommandError: the API server cannot be asked, or the file not be read.
    """
    since = datetime.now(UTC) - timedelta(seconds=seconds)
    remarks: list[str] = []
    events = list_all(cluster, EVENT, Where(namespace=namespace, everywhere=False))
    if events.unread is not None:
        remarks.append(f"Without Events: {events.unread.why}; {events.unread.fix}.")
    elif timedelta(seconds=seconds) > EVENTS_KEPT:
        remarks.append(
            "API servers keep Events for an hour, unless told otherwise; the log goes back further."
        )
    lines = _file(log) if log else _logs(cluster, seconds, remarks)
    found = [
        *from_events(events.items, name, since),
        *from_log(lines, f"{namespace}/{name}", since),
    ]
    return History(entries=tuple(in_order(found)), remarks=tuple(remarks))


def _file(path: str) -> Iterator[str]:
    try:
        if path == STDIN:
            yield from sys.stdin
        else:
            with Path(path).open(encoding="utf-8", errors="replace") as file:
                yield from file
    except FileNotFoundError:
        raise CommandError(f"there is no file {path}", ExitCode.NOT_FOUND) from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None


def _logs(cluster: Cluster, seconds: float, remarks: list[str]) -> Iterator[str]:
    """Of all pods of the operator: which of them led is in none of them alone."""
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - slow to import

    pods = list_all(
        cluster, POD, Where(namespace=cluster.namespace, everywhere=True), selector=OPERATOR
    )
    if not pods.items:
        why = pods.unread.why if pods.unread else "the operator's pods were not found"
        remarks.append(f"Without the operator's log: {why}. Give it as a file: --log FILE.")
    for pod in pods.items:
        name, where = str(pod["metadata"]["name"]), str(pod["metadata"]["namespace"])
        query: list[tuple[str, object]] = [
            ("sinceSeconds", int(seconds)),
            ("limitBytes", LOG_BYTES),
        ]
        try:
            text = read_text(cluster, f"{object_path(POD, name, where)}/log", query)
        except ApiException as error:
            remarks.append(
                f"Without the log of {where}/{name}: the API server answered with status {error.status}. Give it as "
                "a file: --log FILE."
            )
            continue
        yield from text.splitlines()
