"""What would be asked of each variant at once: whole, within bounds, and never of what has just been lost."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from inference_cost.decide.mix.at_once import at_once
from inference_cost.decide.mix.cheapest import Risk
from inference_cost.decide.mix.grant import Grant
from inference_cost.decide.mix.place import DomainSeen, Placed, Sought, seek, settle
from inference_cost.model.placement import AtOnce, Loss

NOW = 1_000_000.0


@st.composite
def seen(draw: st.DrawFn) -> list[DomainSeen]:
    return [
        DomainSeen(
            name=f"v{i}",
            price_per_hour=draw(st.floats(0.1, 3.0)),
            can_be_lost=draw(st.booleans()),
            ready=draw(st.integers(0, 6)),
            starting=draw(st.integers(0, 2)),
            lost=draw(st.sampled_from([0, 0, 0, 2])),
            refused=draw(st.sampled_from([False, False, True])),
            highest=draw(st.integers(1, 20)),
            parts=draw(st.sampled_from([1, 1, 3])),
        )
        for i in range(draw(st.integers(1, 4)))
    ]


risks = st.builds(
    Risk,
    late_price=st.floats(0.0, 60.0),
    served_price_per_hour=st.floats(0.1, 3.0),
    exposure_seconds=st.floats(10.0, 600.0),
    start_seconds=st.floats(1.0, 600.0),
    survivors=st.sampled_from([0, 0, 4]),
)


@dataclass(frozen=True)
class Look:
    sought: Sought
    placed: Placed
    found: tuple[AtOnce, ...]

    def lost(self, which: int) -> list[tuple[int, Loss]]:
        """With the variant that is asked."""
        pairs = ((i, loss) for i, one in enumerate(self.found) for loss in one.losses)
        return [(i, loss) for i, loss in pairs if loss.domain == f"pool-{which}"]


@st.composite
def looks(draw: st.DrawFn) -> Look:
    domains: Sequence[DomainSeen] = draw(seen())
    sought = seek(draw(st.integers(0, 12)), domains, draw(risks), (), NOW)
    goal = tuple(draw(st.integers(0, 8)) for _ in domains)
    placed = settle(sought, draw(st.sampled_from([None, Grant(now=goal, goal=goal, full=())])))
    pools = [f"pool-{i}" for i in range(len(domains))]
    return Look(sought, placed, at_once(sought, placed, pools))


@given(looks())
def test_what_grows_goes_somewhere_or_nowhere(look: Look) -> None:
    parts = [one.growth for one in look.found]
    assert min(parts) >= 0
    assert abs(sum(parts) - 1) < 1e-9 or not any(parts)


@given(looks())
def test_nothing_is_asked_of_what_is_full(look: Look) -> None:
    total = sum(look.placed.wanted)
    for one, count, found in zip(look.sought.domains, look.placed.wanted, look.found, strict=True):
        if count >= one.highest:
            assert found == AtOnce()
        for loss in found.losses:
            assert count + loss.part * total <= one.highest + 1e-9


@given(looks())
def test_of_what_a_zone_loses_the_others_are_asked_and_for_no_more(look: Look) -> None:
    total = sum(look.placed.wanted)
    for i, (one, count) in enumerate(zip(look.sought.seen, look.placed.wanted, strict=True)):
        lost = look.lost(i)
        assert one.can_be_lost or not lost
        assert all(asked != i and 0 < loss.chance < 1 for asked, loss in lost)
        zones = {loss.zones for _, loss in lost}
        assert all(1 <= n <= max(min(one.parts, count), 1) for n in zones)
        replaced = sum(loss.part for _, loss in lost) * total
        assert all(replaced <= -(-count // n) + 1e-9 for n in zones)


@given(looks())
def test_who_survives_a_zone_replaces_none_at_once(look: Look) -> None:
    if look.sought.risk.survivors:
        assert not any(one.losses for one in look.found)
