"""What the cluster looks like, kept by watch events and corrected by complete re-lists.

Watches can miss deletions (a re-list after an expired watch brings no DELETED event), so only `replace`, fed by
a complete LIST, is the authority on what exists.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from inference_cost.observe.extract import to_record
from inference_cost.observe.kinds import WATCHED_KINDS, WatchedKind
from inference_cost.observe.node_claims import MachineNews
from inference_cost.observe.pods import keeps_its_node
from inference_cost.observe.records import (
    AutoscalerRecord,
    CapacityBufferRecord,
    CapacityPoolRecord,
    NamespaceRecord,
    NodeClaimRecord,
    NodeOverlayRecord,
    NodeRecord,
    ObjectKey,
    PodRecord,
    PolicyRecord,
    Record,
    ScaleTargetRecord,
    ServiceRecord,
)


@dataclass(slots=True)
class _Table:
    records: dict[ObjectKey, Record] = field(default_factory=dict)
    listed_at: float | None = None
    unavailable: str = ""
    touched: dict[ObjectKey, int] = field(default_factory=dict)  # event number of the last event
    relists: int = 0  # under way


class ClusterCache:
    """Records by kind. Used from one event loop; nothing here waits or does I/O."""

    def __init__(self, kinds: Iterable[WatchedKind] = WATCHED_KINDS) -> None:
        self.kinds = tuple(kinds)
        self._tables = {k.kind: _Table() for k in self.kinds}
        self._events = 0
        self._pods_by_workload: dict[ObjectKey, dict[str, PodRecord]] = defaultdict(dict)
        self._pods_by_namespace: dict[str, dict[str, PodRecord]] = defaultdict(dict)
        self._by_namespace: dict[tuple[str, str], dict[str, Record]] = defaultdict(dict)
        self.machines = MachineNews()  # a NodeClaim that gets none is gone before the next look
        self._pods_by_node: Counter[str] = Counter()
        self._pods_of_node: dict[str, dict[str, PodRecord]] = defaultdict(dict)

    def apply(self, kind: str, event_type: str | None, obj: Mapping[str, Any]) -> bool:
        """Take over one watch event (None, ADDED, MODIFIED or DELETED). True when a record changed."""
        table = self._tables[kind]
        record = to_record(kind, obj)
        key = (record.namespace, record.name)
        self._events += 1
        if isinstance(record, NodeClaimRecord):
            self.machines.see(record)
        if table.relists:
            table.touched[key] = self._events
        if event_type == "DELETED":
            return self._remove(kind, key)
        return self._store(kind, key, record)

    def begin_relist(self, kind: str) -> int:
        """Call before the LIST is sent; pass the result to `replace`. Later events win over the list."""
        self._tables[kind].relists += 1
        return self._events

    def abandon_relist(self, kind: str) -> None:
        """The LIST failed: what was known stays."""
        self._end_relist(self._tables[kind])

    def replace(
        self,
        kind: str,
        objs: Iterable[Mapping[str, Any]],
        *,
        listed_at: float,
        since: int | None = None,
    ) -> int:
        """Take over a complete LIST. Returns how many records it purged that no event had removed."""
        return self.replace_records(
            kind, (to_record(kind, o) for o in objs), listed_at=listed_at, since=since
        )

    def replace_records(
        self, kind: str, records: Iterable[Record], *, listed_at: float, since: int | None = None
    ) -> int:
        table = self._tables[kind]
        newer = {k for k, n in table.touched.items() if since is not None and n > since}
        listed = {(r.namespace, r.name): r for r in records}
        ghosts = [k for k in table.records if k not in listed and k not in newer]
        for key in ghosts:
            self._remove(kind, key)
        for key, record in listed.items():
            if isinstance(record, NodeClaimRecord):
                self.machines.see(record)
            if key not in newer:
                self._store(kind, key, record)
        table.listed_at, table.unavailable = listed_at, ""
        if since is not None:
            self._end_relist(table)
        return len(ghosts)

    def mark_unavailable(self, kind: str, why: str) -> None:
        """The kind cannot be read: its CRD is absent, or a verb is missing. Its records are dropped."""
        table = self._tables[kind]
        for key in list(table.records):
            self._remove(kind, key)
        table.unavailable = why

    @property
    def synced(self) -> bool:
        """Every required kind was listed completely, every optional one listed or known to be unavailable."""
        return all(self._settled(k) for k in self.kinds)

    def _settled(self, kind: WatchedKind) -> bool:
        table = self._tables[kind.kind]
        return table.listed_at is not None or (kind.optional and bool(table.unavailable))

    def age_seconds(self, now: float) -> float:
        """Seconds since the oldest complete list among the kinds in use; infinite before the first."""
        if not self.synced:
            return math.inf
        listed = [
            t.listed_at
            for t in self._tables.values()
            if t.listed_at is not None and not t.unavailable
        ]
        return max(0.0, now - min(listed)) if listed else math.inf

    @property
    def unavailable(self) -> Mapping[str, str]:
        """Why, for each kind that cannot be read."""
        return {k: t.unavailable for k, t in self._tables.items() if t.unavailable}

    def watches(self, kind: str) -> bool:
        return kind in self._tables

    def policies(self) -> list[PolicyRecord]:
        return [r for r in self._all("InferenceCostPolicy") if isinstance(r, PolicyRecord)]

    def policy(self, namespace: str, name: str) -> PolicyRecord | None:
        found = self._get("InferenceCostPolicy", namespace, name)
        return found if isinstance(found, PolicyRecord) else None

    def capacity_pools(self) -> list[CapacityPoolRecord]:
        return [r for r in self._all("CapacityPool") if isinstance(r, CapacityPoolRecord)]

    def capacity_pool(self, name: str) -> CapacityPoolRecord | None:
        found = self._get("CapacityPool", "", name)
        return found if isinstance(found, CapacityPoolRecord) else None

    def node_overlays(self) -> list[NodeOverlayRecord]:
        return [r for r in self._all("NodeOverlay") if isinstance(r, NodeOverlayRecord)]

    def node_claims(self) -> list[NodeClaimRecord]:
        return [r for r in self._all("NodeClaim") if isinstance(r, NodeClaimRecord)]

    def node_claim(self, name: str) -> NodeClaimRecord | None:
        found = self._get("NodeClaim", "", name)
        return found if isinstance(found, NodeClaimRecord) else None

    def capacity_buffers(self, namespace: str) -> list[CapacityBufferRecord]:
        found = self._by_namespace["CapacityBuffer", namespace].values()
        return [r for r in found if isinstance(r, CapacityBufferRecord)]

    def namespace(self, name: str) -> NamespaceRecord | None:
        found = self._get("Namespace", "", name)
        return found if isinstance(found, NamespaceRecord) else None

    def nodes(self) -> list[NodeRecord]:
        return [r for r in self._all("Node") if isinstance(r, NodeRecord)]

    def node(self, name: str) -> NodeRecord | None:
        found = self._get("Node", "", name)
        return found if isinstance(found, NodeRecord) else None

    def scale_target(self, kind: str, namespace: str, name: str) -> ScaleTargetRecord | None:
        found = self._get(kind, namespace, name)
        return found if isinstance(found, ScaleTargetRecord) else None

    def scale_targets(self, namespace: str) -> list[ScaleTargetRecord]:
        kinds = [k.kind for k in self.kinds if k.scale_target]
        found = (r for kind in kinds for r in self._by_namespace[kind, namespace].values())
        return [r for r in found if isinstance(r, ScaleTargetRecord)]

    def autoscalers(self, namespace: str) -> list[AutoscalerRecord]:
        """ScaledObjects first: an HPA that KEDA made is reported by its ScaledObject's name."""
        kinds = ("ScaledObject", "HorizontalPodAutoscaler")
        found = (r for kind in kinds for r in self._by_namespace[kind, namespace].values())
        return [r for r in found if isinstance(r, AutoscalerRecord)]

    def service(self, namespace: str, name: str) -> ServiceRecord | None:
        found = self._get("Service", namespace, name)
        return found if isinstance(found, ServiceRecord) else None

    def pods_of_workload(self, namespace: str, workload: str) -> list[PodRecord]:
        """Pods whose controller leads to a scale target of this name."""
        return list(self._pods_by_workload.get((namespace, workload), {}).values())

    def pods(self, namespace: str) -> list[PodRecord]:
        return list(self._pods_by_namespace.get(namespace, {}).values())

    def all_pods(self) -> Iterator[PodRecord]:
        return (pod for pods in self._pods_by_namespace.values() for pod in pods.values())

    def pods_on(self, node: str) -> int:
        """Pods of all namespaces that keep a node from being empty."""
        return self._pods_by_node[node]

    def pods_of_node(self, node: str) -> list[PodRecord]:
        """All that are bound to it, in whatever phase."""
        return list(self._pods_of_node.get(node, {}).values())

    def count(self, kind: str) -> int:
        return len(self._tables[kind].records)

    def _all(self, kind: str) -> list[Record]:
        table = self._tables.get(kind)
        return list(table.records.values()) if table else []

    def _get(self, kind: str, namespace: str, name: str) -> Record | None:
        table = self._tables.get(kind)
        return table.records.get((namespace, name)) if table else None

    def _store(self, kind: str, key: ObjectKey, record: Record) -> bool:
        records = self._tables[kind].records
        previous = records.get(key)
        if isinstance(record, ScaleTargetRecord):
            record = _with_template_history(record, previous)
        if record == previous:
            return False
        self._remove(kind, key)
        records[key] = record
        self._index(kind, record)
        return True

    def _remove(self, kind: str, key: ObjectKey) -> bool:
        record = self._tables[kind].records.pop(key, None)
        if record is None:
            return False
        _drop(self._by_namespace, (kind, record.namespace), record.name)
        if isinstance(record, PodRecord):
            _drop(self._pods_by_namespace, record.namespace, record.name)
            _drop(self._pods_by_workload, (record.namespace, record.workload), record.name)
            _drop(self._pods_of_node, record.node, record.uid)
            self._count_on_node(record, -1)
        return True

    def _index(self, kind: str, record: Record) -> None:
        if isinstance(record, PodRecord):
            self._pods_by_namespace[record.namespace][record.name] = record
            self._pods_by_workload[record.namespace, record.workload][record.name] = record
            if record.node:
                self._pods_of_node[record.node][record.uid] = record
            self._count_on_node(record, 1)
        else:
            self._by_namespace[kind, record.namespace][record.name] = record

    def _count_on_node(self, record: PodRecord, more: int) -> None:
        if keeps_its_node(record):
            self._pods_by_node[record.node] += more
            if not self._pods_by_node[record.node]:
                del self._pods_by_node[record.node]

    @staticmethod
    def _end_relist(table: _Table) -> None:
        table.relists -= 1
        if not table.relists:
            table.touched.clear()


def _drop(index: Any, key: Any, name: str) -> None:
    """Remove a name from one bucket of an index, and the bucket when it is empty."""
    bucket = index.get(key)
    if bucket is None:
        return
    bucket.pop(name, None)
    if not bucket:
        del index[key]


def _with_template_history(record: ScaleTargetRecord, previous: Record | None) -> ScaleTargetRecord:
    """Keep since which generation the template is as it is; a change of replicas is no rollout."""
    if (
        isinstance(previous, ScaleTargetRecord)
        and previous.uid == record.uid
        and previous.template_fingerprint == record.template_fingerprint
    ):
        return replace(record, template_generation=previous.template_generation)
    return record
