"""The zones in which replicas of one variant really run: each is lost on its own, and none can be chosen.

Nobody but the cluster decides where the next replica lands. A lost zone keeps the whole variant away only where none of
its replicas runs in another one, or its template lets none run there; else it stays open, and of what it gets anew the
zone's share counts as lost again soon.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from inference_cost.decide.mix.losses import (
    FIRST_AWAY_SECONDS,
    NOTHING_KNOWN,
    TOGETHER_SECONDS,
    Happened,
    is_silent,
    keeps_away,
    watched,
)
from inference_cost.decide.mix.pods import VariantPods
from inference_cost.model.placement import PlacedDomain, ZoneRecord
from inference_cost.model.workload import Node, Pool, Workload

ZONES_KEPT: Final = 8
# Of what lands in a zone that was just lost: within a minute (docs/placement.md has what other rates cost).
LOST_AGAIN_PER_HOUR: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePods:
    """Replicas in one zone.

    `ready`: that stay; `lost`: taken since the last look, or about to be; `silent`: on nodes that do not answer.
    """

    name: str
    ready: int
    lost: int = 0
    silent: int = 0


def zone_pods(
    pods: VariantPods, nodes: Mapping[str, Node], before: PlacedDomain | None
) -> tuple[ZonePods, ...]:
    """Of nodes that tell their zone."""
    counted = () if before is None else before.taken
    ready = Counter(dict(pods.in_zones))
    lost = _by_zone(((node, count) for node, count in pods.taken if node not in counted), nodes)
    silent = _by_zone(pods.silent, nodes)
    return tuple(
        ZonePods(name=zone, ready=ready[zone], lost=lost[zone], silent=silent[zone])
        for zone in sorted({*ready, *lost, *silent})
    )


def _by_zone(counts: Iterable[tuple[str, int]], nodes: Mapping[str, Node]) -> Counter[str]:
    zones = Counter[str]()
    for node, count in counts:
        if nodes[node].zone:
            zones[nodes[node].zone] += count
    return zones


def looked_at(
    before: Sequence[ZoneRecord], seen: Sequence[ZonePods], at: float
) -> tuple[ZoneRecord, ...]:
    """With one look more. Of a zone that was never lost, or not for long, nothing is kept."""
    known = {one.name: one.record for one in before}
    there = {one.name: one for one in seen if one.lost or one.silent or one.name in known}
    looked = []
    for name in sorted({*there, *known}):
        pods = there.get(name, ZonePods(name=name, ready=0))
        alive = pods.ready + pods.lost
        share = pods.lost / alive if pods.lost else 0.0
        silent = is_silent(pods.silent, pods.ready)
        happened = Happened(ready=pods.ready, alive=alive, lost=share, silent=silent)
        record = watched(known.get(name, NOTHING_KNOWN), happened, at)
        lately = record.lately and at - record.lately_at <= TOGETHER_SECONDS
        if lately or record.away_seconds > FIRST_AWAY_SECONDS or keeps_away(record, at):
            looked.append(ZoneRecord(name=name, record=record))
    return tuple(looked[:ZONES_KEPT])


def kept_from(records: Sequence[ZoneRecord], at: float) -> tuple[ZoneRecord, ...]:
    return tuple(one for one in records if keeps_away(one.record, at))


def zones_in_use(seen: Sequence[ZonePods], away: Sequence[ZoneRecord]) -> int:
    """With those that are kept away from."""
    return len({one.name for one in seen if one.ready} | {one.name for one in away})


def stay_elsewhere(seen: Sequence[ZonePods], records: Sequence[ZoneRecord], at: float) -> bool:
    """Whether replicas are ready in a zone that was not lost."""
    away = {one.name for one in kept_from(records, at)}
    return any(one.ready and one.name not in away for one in seen)


def zones_seen(pods: VariantPods, before: PlacedDomain | None) -> int:
    """0 before any were. Of those that start it is not known where they will be: as many as there were."""
    if pods.in_zones and not pods.starting:
        return len(pods.in_zones)
    return 0 if before is None else before.zones


def zones_of(
    workload: Workload, pods: VariantPods, before: PlacedDomain | None, pool: Pool | None
) -> int:
    """That its replicas are, or are going to be, spread over."""
    return max(len(pods.in_zones), zones_seen(pods, before) or _offered(workload, pool))


def _offered(workload: Workload, pool: Pool | None) -> int:
    """Before any were seen: nobody but a spread of the template's own keeps replicas out of one zone."""
    return len(pool.zones) if pool is not None and pool.zones and workload.spreads_over_zones else 1
