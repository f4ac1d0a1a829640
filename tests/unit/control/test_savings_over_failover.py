"""Both sides of savings over a change of leaders: what was exported after the checkpoint is not lost."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from inference_cost.account import checkpoint
from inference_cost.account.costs import Costs
from inference_cost.account.hand_over import handed_over
from inference_cost.account.month import AccountMemory
from inference_cost.account.savings.hand_over import brought_up
from inference_cost.account.savings.savings import Kept, SavingsMemory, Sum
from inference_cost.control.metrics import Metrics
from inference_cost.model.policy import Baseline, Mode
from inference_cost.observe.recorded_costs import sort_recorded
from tests.unit.account.savings.worlds import HOUR, MINUTE, Stretch, run
from tests.unit.account.worlds import NOON, key

TICK = 5 * MINUTE
LOOKS = round(HOUR / TICK)
WATCHED = Stretch(hours=1, demand=200, replicas=4, desired=2, mode=Mode.RECOMMEND)
DIES = NOON + 3 * HOUR


def served(hours: float) -> Stretch:
    return Stretch(hours=hours, demand=200, replicas=2)


def looks(*stretches: Stretch, **more: Any) -> list[Costs]:
    return list(run(*stretches, baseline=Baseline.HPA, tick=TICK, **more))


def scraped(costs: Costs) -> Iterator[dict[str, Any]]:
    metrics = Metrics(version="1.0")
    metrics.show_costs(costs)
    for family in metrics.registry.collect():
        for sample in family.samples:
            labels = {"__name__": sample.name, "instance": "a", **sample.labels}
            yield {"metric": labels, "value": [0, str(sample.value)]}


def stored(costs: Costs) -> AccountMemory:
    """As the checkpoint object has it."""
    found = checkpoint.from_dict(checkpoint.to_dict(costs.memory[key()]))
    assert found is not None
    return found


def savings(memory: AccountMemory) -> SavingsMemory:
    assert memory.savings is not None
    return memory.savings


WHOLE = looks(WATCHED, served(3))
FIRST = WHOLE[: 3 * LOOKS]
OLD = stored(FIRST[2 * LOOKS - 1])  # an hour old when its writer dies


def after(recorded: list[dict[str, Any]]) -> SavingsMemory:
    """An hour later."""
    memory = handed_over({key(): OLD}, sort_recorded(recorded, "USD"))
    last = looks(served(1), start=DIES, remembered=memory)[-1]
    return savings(last.memory[key()])


def test_they_go_on_with_what_was_scraped() -> None:
    expected, found = savings(WHOLE[-1].memory[key()]), after(list(scraped(FIRST[-1])))
    looked = replace(expected, kept=(), shadows=found.shadows)
    missed = Decimal(str(TICK / HOUR))  # from the last look of one to the first of the other
    assert found.theirs.amount == pytest.approx(looked.theirs.amount - 12 * missed)
    assert found.ours.amount == pytest.approx(looked.ours.amount - 8 * missed)
    assert found.requests == pytest.approx(looked.requests - 200 * TICK)
    assert found.seconds == looked.seconds - TICK
    assert found.unknown_seconds == looked.unknown_seconds + TICK
    for one, whole in zip(found.kept, expected.kept, strict=True):
        assert (one.baseline, one.potential) == (whole.baseline, whole.potential)
        part = 0 if one.potential else missed
        assert one.theirs.amount == pytest.approx(whole.theirs.amount - 12 * part)
        assert one.ours.amount == pytest.approx(whole.ours.amount - 8 * part)
        assert one.ours.late == pytest.approx(whole.ours.late - float(part) * HOUR * 200 * 0.005)
        assert one.seconds == whole.seconds - float(part) * HOUR


def test_without_it_the_hour_since_the_checkpoint_is_missing() -> None:
    """So the test above can fail."""
    expected, found = savings(WHOLE[-1].memory[key()]), after([])
    assert found.seconds == expected.seconds - HOUR - TICK
    assert found.ours.amount < expected.ours.amount - 7


LEFT_OUT = {
    "a baseline of a newer version": {"baseline": "Oracle"},
    "a mode of a newer version": {"mode": "Dream"},
}


@pytest.mark.parametrize("sentence", LEFT_OUT)
def test_of_what_was_scraped_is_left_out(sentence: str) -> None:
    entries = list(scraped(FIRST[-1]))
    for entry in entries:
        if "compared" in entry["metric"]["__name__"]:
            entry["metric"] |= LEFT_OUT[sentence]
    (teller,) = sort_recorded(entries, "USD").tellers
    assert teller.policies[key()].compared == ()


def test_labels_of_savings_do_not_make_another_process() -> None:
    (teller,) = sort_recorded(list(scraped(FIRST[-1])), "USD").tellers
    pairs = {(one.baseline, one.potential) for one in teller.policies[key()].compared}
    assert pairs == {(Baseline.HPA, True), (Baseline.HPA, False)}


def test_a_month_that_has_begun_since_the_checkpoint_begins_with_the_new_leader() -> None:
    new_year = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    one = Kept(baseline=Baseline.HPA, potential=False, ours=Sum(amount=Decimal(5)), seconds=HOUR)
    memory = SavingsMemory(
        baseline=Baseline.HPA,
        potential=False,
        since=new_year - 2 * HOUR,
        last_at=new_year - HOUR / 2,
        ours=Sum(amount=Decimal(5)),
        seconds=HOUR,
        kept=(one,),
    )
    told = replace(one, ours=Sum(amount=Decimal(9)), seconds=2 * HOUR)
    found = brought_up(memory, [told], new_year + HOUR / 2)
    assert (found.since, found.seconds, found.ours.amount) == (new_year + HOUR / 2, 0, 0)
    assert found.kept == (told,)
