"""Why replicas run where they do, as reasons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from inference_cost.decide.case import Case
from inference_cost.decide.mix.cheapest import cheapest, cost_per_hour
from inference_cost.decide.mix.grant import Full
from inference_cost.decide.mix.losses import keeps_away
from inference_cost.decide.mix.place import Placed, Sought
from inference_cost.decide.mix.zones import kept_from
from inference_cost.model.placement import PlacedDomain
from inference_cost.model.plan import Reason


@dataclass(frozen=True, slots=True)
class Told:
    """What a placement is reckoned with.

    `unpriced`: names of the variants whose price is not known; `closed`: of those on cordoned nodes, and until when
    none is asked for there. `cap`: per hour. `old`: names, pools ("" where none is told) and dates of prices that are
    too old to move for.
    """

    sought: Sought
    unpriced: Sequence[str]
    closed: Sequence[tuple[str, float]] = ()
    cap: float | None = None
    old: Sequence[tuple[str, str, float]] = ()


def reasons(case: Case, placed: Placed, told: Told, full: Sequence[Full]) -> tuple[Reason, ...]:
    """`full`: pools that have no room for all."""
    return (
        *_of_prices(case, placed, told),
        *_of_limits(placed, told.sought, full),
        *_of_the_cap(placed, told),
        *_on_the_way(case, placed, told),
    )


def _of_prices(case: Case, placed: Placed, told: Told) -> Iterator[Reason]:
    policy, pools = case.observation.policy, case.snapshot.pools
    for variant in policy.variants:
        if variant.pool and variant.pool not in pools:
            yield Reason(
                code="mix-no-pool", values=(("variant", variant.name), ("pool", variant.pool))
            )
    if told.unpriced:
        yield Reason(code="mix-unpriced", values=(("variants", ", ".join(told.unpriced)),))
    for name, pool, since in told.old:
        yield Reason(
            code="mix-price-old", values=(("variant", name), ("pool", pool), ("since", since))
        )
    sure = not told.unpriced and not told.old
    if sure and told.sought.risk.late_price and any(one.losses_per_hour for one in placed.domains):
        yield from _worth(placed, told.sought)
    pairs = zip(placed.wanted, placed.domains, strict=True)
    safe = sum(count for count, one in pairs if not one.losses_per_hour)
    if safe < policy.min_on_demand_replicas:
        values = (("floor", policy.min_on_demand_replicas), ("replicas", safe))
        yield Reason(code="mix-floor", values=values)


def _of_limits(placed: Placed, sought: Sought, full: Sequence[Full]) -> Iterator[Reason]:
    """Who has the room, and what it costs that this policy has not."""
    if not full or (placed.wanted == sought.mix and not placed.limited):
        return
    yield from map(full_reason, full)
    if placed.limited:
        yield Reason(code="pool-short", values=(("replicas", placed.limited),))
    if not sought.risk.late_price:  # prices are not looked at
        return
    plain = replace(sought.risk, survivors=0)
    free = sought.mix
    if sum(placed.wanted) < sum(free):
        free = cheapest(sum(placed.wanted), sought.domains, plain)
    extra = cost_per_hour(sought.needed, placed.wanted, sought.domains, plain)
    extra -= cost_per_hour(sought.needed, free, sought.domains, plain)
    if extra > 0:
        yield Reason(code="pool-elsewhere", values=(("extra", extra),))


def full_reason(full: Full) -> Reason:
    values: tuple[tuple[str, str | float | int], ...] = (
        ("pool", full.pool),
        ("limit", full.limit),
        ("most", full.most),
        ("takers", ", ".join(full.takers)),
        ("higher", int(full.higher)),
        ("own", full.own),
    )
    return Reason(code="pool-full", values=values)


def _of_the_cap(placed: Placed, told: Told) -> Iterator[Reason]:
    if told.cap is None:
        return
    if told.unpriced:
        yield Reason(code="cap-unpriced", values=(("cap", told.cap),))
    elif placed.unpaid:
        values = (("cap", told.cap), ("replicas", placed.unpaid))
        yield Reason(code="cap-reached", values=values)


def _on_the_way(case: Case, placed: Placed, told: Told) -> Iterator[Reason]:
    yield from _closed(case, placed, told)
    for after in placed.remembered:
        until = after.record.away_until
        if until is not None and keeps_away(after.record, case.at):
            yield Reason(code="mix-away", values=(("variant", after.name), ("until", until)))
        else:
            yield from _zones_away(after, case.at)
    staying = sum(placed.asked) - sum(placed.wanted)
    if staying > 0:
        yield Reason(code="mix-moving", values=(("replicas", staying),))
    if placed.dwelling:
        yield Reason(code="mix-dwelling")
    if placed.short > 0:
        yield Reason(code="mix-short", values=(("replicas", placed.short),))


def _closed(case: Case, placed: Placed, told: Told) -> Iterator[Reason]:
    """After the time one is tried where it is needed, and nothing kept out where it is not."""
    pairs = zip(told.sought.seen, placed.asked, strict=True)
    asked = {one.name for one, count in pairs if count > one.sure}
    for variant, opens in told.closed:
        probed = case.at >= opens
        if probed and variant not in asked:
            continue
        values = (("variant", variant), ("until", opens), ("probed", int(probed)))
        yield Reason(code="mix-closed", values=values)


def _zones_away(after: PlacedDomain, at: float) -> Iterator[Reason]:
    for zone in kept_from(after.by_zone, at):
        until = zone.record.away_until or at
        values = (("variant", after.name), ("zone", zone.name), ("until", until))
        yield Reason(code="mix-zone-away", values=values)


def _worth(placed: Placed, sought: Sought) -> Iterator[Reason]:
    """Against the same number on what cannot be lost, and without the constraint."""
    desired, plain = sought.needed, replace(sought.risk, survivors=0)
    lossy = [domain.losses_per_hour > 0 for domain in placed.domains]
    if not any(n and can for n, can in zip(placed.wanted, lossy, strict=True)):
        if placed.wanted == sought.mix:
            yield Reason(code="mix-safe")
        return
    cost = cost_per_hour(desired, placed.wanted, placed.domains, plain)
    safe = [
        replace(domain, lowest=0, highest=0) if can else domain
        for domain, can in zip(placed.domains, lossy, strict=True)
    ]
    other = cheapest(desired, safe, plain)
    if sum(other) >= desired:
        saved = cost_per_hour(desired, other, placed.domains, plain) - cost
        yield Reason(code="mix-saves", values=(("saved", saved),))
    if sought.risk.survivors:
        cheaper = cheapest(desired, placed.domains, plain)
        extra = cost - cost_per_hour(desired, cheaper, placed.domains, plain)
        yield Reason(code="mix-survives", values=(("extra", extra),))
