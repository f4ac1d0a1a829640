"""What a reader must know beside the figures: where the replay is rough, and what is missing."""

from collections.abc import Iterable

from inference_cost.decide.schedule import widest
from inference_cost.model.policy import LatencyObjective
from inference_cost.simulate.outcome import Comparison
from inference_cost.simulate.scenario import Fidelity, Scenario
from inference_cost.simulate.world.new import STEP_SECONDS, objective_of

LONG_SECONDS = STEP_SECONDS / 2
NAMED = 3

LONG_OBJECTIVE = (
    f"the objective is long against the simulator's steps of {STEP_SECONDS:g} s: attainment is understated, and "
    "controllers may buy more than they would; certify with --fidelity request"
)
BOUND_IN_STEPS = (
    f"the bound is that of steps of {STEP_SECONDS:g} s, in which no request waits for the next: a controller can "
    "pass below it"
)


def policy_notes(
    scenario: Scenario, comparison: Comparison, *, bound_asked: bool
) -> tuple[str, ...]:
    """Of one policy, in the order in which they matter."""
    objective = objective_of(scenario)
    threshold, request = objective.threshold_seconds, scenario.fidelity is Fidelity.REQUEST
    found = []
    if threshold > LONG_SECONDS and not request:
        found.append(LONG_OBJECTIVE)
    if bound_asked and comparison.bound is None:
        found.append(_no_bound(scenario, objective))
    if bound_asked and scenario.spot is not None and comparison.spot_bound is None:
        found.append("there is no bound with spot: no number of replicas meets the objective")
    bounded = comparison.bound is not None or comparison.spot_bound is not None
    if bounded and (threshold > STEP_SECONDS or request):
        found.append(BOUND_IN_STEPS)
    return tuple(found)


def _no_bound(scenario: Scenario, objective: LatencyObjective) -> str:
    most = widest(scenario.policy)[1]
    allowed = 100 * (1 - objective.target_fraction)
    return f"even maxReplicas {most} leave more than {allowed:.6g} % late: there is no bound"


def of_fleet(noted: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[str, ...]:
    """Notes of many policies, each once, with the policies (name, notes) that it is of."""
    names: dict[str, list[str]] = {}
    for policy, notes in noted:
        for note in notes:
            names.setdefault(note, []).append(policy)
    return tuple(f"{_listed(policies)}: {note}" for note, policies in names.items())


def _listed(policies: list[str]) -> str:
    more = len(policies) - NAMED
    return ", ".join(policies[:NAMED]) + (f" and {more} more" if more > 0 else "")
