"""A policy against the rules of other autoscalers and against the cheapest possible, on the same traffic."""

from collections.abc import Callable, Sequence

from inference_cost.simulate.outcome import Comparison
from inference_cost.simulate.scenario import Scenario

Progress = Callable[[float, str], None]
"""Called with the share done (0 to 1) and what is running now."""


def compare(
    scenario: Scenario,
    *,
    against: Sequence[str] = (),
    tuned: bool = False,
    bound: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Comparison:
    """Run ours, the named baselines at their default (and, with `tuned`, at their hindsight-best knob), the bound.

    Raises:
        ValueError: the scenario cannot be run; the message names the field and the fix.
    """
    raise NotImplementedError
