"""What a user should know of a policy's replicas, server and traffic, whatever is decided."""

from collections.abc import Iterator

from inference_cost.decide.advice import advice, has_smaller_batches
from inference_cost.decide.case import Case
from inference_cost.decide.evenness import effective_share, lasts
from inference_cost.decide.latency.routing import gain
from inference_cost.decide.leaving import why
from inference_cost.decide.limits.guard import replaced
from inference_cost.decide.replica.profile import Capability
from inference_cost.decide.replica.slow_pods import times_less
from inference_cost.model.plan import Evenness, Reason
from inference_cost.model.reading import Missing


def findings(case: Case, can: Capability, uneven: Evenness, desired: int) -> tuple[Reason, ...]:
    """What a user should know about the profile itself."""
    found = []
    if can.busy is not None:
        now, held = (round(100 * one) for one in can.busy)
        shared = (("why", can.outside), ("now", now), ("held", held))
        found.append(Reason(code="shared-pods", values=shared))
    elif can.outside:
        found.append(Reason(code="outside-model", values=(("why", can.outside),)))
    if can.kinds:
        kinds = (("slowest", can.kinds[0]), ("others", ", ".join(can.kinds[1:])))
        found.append(Reason(code="mixed-fleet", values=kinds))
    if not can.reachable:
        found.append(Reason(code="objective-unreachable"))
    if can.replica is not None and isinstance(case.configuration, Missing):
        found.append(Reason(code="unknown-batching"))
    more = round(100 * (gain(can.gains, desired) - 1))
    if replaced(case.fleet):
        lost = (("pods", case.fleet.stuck), ("trouble", case.fleet.trouble))
        found.append(Reason(code="replaced", values=lost))
    if case.fleet.leaving:
        found.append(_of_leaving_nodes(case))
    found.extend(_of_slow_pods(case))
    found.extend(_of_warm_nodes(case))
    if more > 0:
        values = (("replicas", desired), ("percent", more))
        found.append(Reason(code="evened-out", values=values))
    found.extend(_corrections(case, can, uneven))
    if can.unbalanced:
        found.append(Reason(code="not-evened-out", values=(("why", can.unbalanced),)))
    found.extend(_of_the_server(case, can, desired))
    return tuple(found)


def _of_the_server(case: Case, can: Capability, desired: int) -> Iterator[Reason]:
    """What its settings do, and what others would be worth."""
    configuration, objective = case.configuration, case.observation.policy.objective
    if can.replica is not None and has_smaller_batches(configuration):
        yield Reason(
            code="preferred-size",
            values=(
                ("size", configuration.largest_batch),
                ("largest", configuration.max_batch_size),
            ),
        )
    advised = advice(can, configuration, objective, desired, case.bounds.lowest)
    if advised is not None:
        yield advised


def _of_leaving_nodes(case: Case) -> Reason:
    fleet = case.fleet
    node = fleet.leaving_node
    values = (
        ("pods", fleet.leaving),
        ("node", node),
        ("why", why(case.snapshot.nodes[node]) if node in case.snapshot.nodes else "it is gone"),
    )
    return Reason(code="leaving", values=values)


def _of_warm_nodes(case: Case) -> Iterator[Reason]:
    """Where the policy relies on them."""
    if case.hot_start_seconds < case.start_up_seconds:
        values = (("warm", case.hot_start_seconds), ("cold", case.start_up_seconds))
        yield Reason(code="warm-start", values=values)


def _of_slow_pods(case: Case) -> Iterator[Reason]:
    """The slowest by name."""
    if case.slow:
        worst = max(case.slow, key=lambda pod: (pod.times, pod.name))
        values = (
            ("pod", worst.name),
            ("times", round(worst.times, 1)),
            ("further", len(case.slow) - 1),
            ("percent", round(100 * (1 - 1 / _times_less(case)))),
        )
        yield Reason(code="slow-pods", values=values)


def _times_less(case: Case) -> float:
    return times_less(case.slow, case.fleet.ready, case.observation.policy)


def _corrections(case: Case, can: Capability, uneven: Evenness) -> list[Reason]:
    """What a replica is taken to carry beside what the model says."""
    found, stretch = [], can.stretch / _times_less(case)
    if lasts(uneven, case.at):
        share = effective_share(uneven)
        stretch *= share
        values = (("effective", round(uneven.effective, 1)), ("pods", uneven.pods))
        found.append(Reason(code="uneven", values=values))
    beyond = round(100 * (stretch - 1))
    if beyond:
        found.append(Reason(code="calibrated", values=(("percent", beyond),)))
    return found
