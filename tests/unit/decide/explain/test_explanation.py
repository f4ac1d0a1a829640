"""The words of a decision, as a person on call would want to read them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from inference_cost.decide.explain import sentences
from inference_cost.decide.explain.explanation import LONGEST_MESSAGE, Explanation, explain
from inference_cost.decide.explain.words import (
    count,
    duration,
    many,
    percent,
    rate,
    seconds,
    small_money,
)
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import (
    LimitedBy,
    Reason,
)
from inference_cost.model.policy import Fallback, FallbackBehavior, Mode, Pause, QueueTimeObjective
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Conflict, ConflictKind
from tests.unit.decide.worlds import (
    gateway,
    learned,
    observation,
    plan_of,
    pod,
    policy,
    priced_node,
    signals,
    workload,
)

STALE = Missing(reason=MissingReason.STALE, detail="newest sample is 300 s old")


def told(seen: PolicyObservation, memory: PolicyMemory | None = None) -> Explanation:
    return explain(plan_of(seen, memory, nodes={"node-1": priced_node()}), seen)


def test_a_scale_out_is_told_from_what_was_seen_to_what_it_costs() -> None:
    seen = observation(seen=signals(180.0, 2, gateway=gateway(180.0, late=0.02)))
    assert told(seen).lines == (
        (
            "Seen: 180 requests/s, 2 replicas of 2 ready. 98 % of the requests finished within "
            "300 ms, the objective is 99 %."
        ),
        (
            "Expected: up to 186 requests/s before a replica ordered now could serve. One replica "
            "carries 84 requests/s with 99 % of the requests within 300 ms (a batch of 8 takes "
            "80 ms, known to 4.8 %)."
        ),
        "Go from 2 to 3 replicas.",
        (
            "With 2 replicas 5.6 % of 186 requests/s would be late; 1 % may be. 37,400 more requests per hour would "
            "be late than with 3 replicas: $2.29 at the $0.061 per 1,000 that an average service puts on late ones, "
            "to save $1.20 per hour."
        ),
        (
            "Room: 3 times what the forecast usually misses by, above the expected load, kept for 2 min; of 96 "
            "rules the cheapest that is late in 1.5 % of an average service's requests, for this load was seen for 15 "
            "s only. Second best: 2 times the forecast's usual miss, kept for 5 min, $4.09 per day less, 1.6 % late."
        ),
        "Cost: $3.60 per hour, $1.20 more than now; one replica is $1.20 per hour.",
    )


def test_a_hold_says_why_not_one_fewer() -> None:
    explanation = told(observation(150.0, 2))
    assert explanation.message == (
        "Keep 2 replicas. 155 requests/s would be 152 % of what 1 replica can do, and the queue "
        "would grow."
    )


MESSAGES: dict[str, tuple[PolicyObservation, PolicyMemory | None, str]] = {
    "a removal": (
        observation(100.0, 5),
        learned(needs=2),
        (
            "Go down from 5 to 2 replicas. No node is left empty, so nothing is saved until one is. 103 "
            "requests/s would be 102 % of what 1 replica can do, and the queue would grow."
        ),
    ),
    "a recommendation": (
        observation(180.0, 2, of=policy(mode=Mode.RECOMMEND)),
        None,
        (
            "Would go from 2 to 3 replicas. With 2 replicas 5.6 % of 186 requests/s would be late; 1 % "
            "may be."
        ),
    ),
    "no metrics": (
        observation(STALE, 4),
        None,
        (
            "Keep 4 replicas. Metrics are not available (newest sample is 300 s old), so nothing is "
            "removed or added."
        ),
    ),
    "fewer than the minimum without metrics": (
        observation(STALE, 1, of=policy(lowest=3)),
        None,
        (
            "Go from 1 to 3 replicas. Metrics are not available (newest sample is 300 s old); "
            "the minimum of 3 is kept."
        ),
    ),
    "a fallback": (
        observation(
            STALE,
            2,
            of=policy(
                fallback=Fallback(failure_threshold=3, replicas=6, behavior=FallbackBehavior.STATIC)
            ),
        ),
        learned(misses=5),
        "Go from 2 to 6 replicas. Metrics stayed away, so spec.fallback Static decides.",
    ),
    "the maximum": (
        observation(490.0, 5, of=policy(highest=5)),
        None,
        (
            "Keep 5 replicas. 7 would be needed, but maxReplicas is 5. 505 requests/s would be 126 % "
            "of what 4 replicas can do, and the queue would grow."
        ),
    ),
    "a rollout": (
        observation(50.0, 5, running=workload(5, rolling_out=True)),
        None,
        (
            "Keep 5 replicas. A rollout is in progress; nothing is removed meanwhile. 4 replicas would "
            "do: 99 % of the requests would finish within 102 ms."
        ),
    ),
    "a pause": (
        observation(400.0, 2, of=policy(pause=Pause(source="namespace"))),
        None,
        "Keep 2 replicas. Paused by the annotation inferencecost.dev/paused on the namespace.",
    ),
    "crashing pods": (
        observation(
            seen=signals(260.0, 2),
            running=workload(
                3,
                (pod("p0"), pod("p1"), pod("p2", ready=False, waiting_reason="CrashLoopBackOff")),
            ),
        ),
        None,
        (
            "Keep 3 replicas. 1 pod cannot start (CrashLoopBackOff), so no more are asked for. "
            "268 requests/s would be 134 % of what 2 replicas can do, and the queue would grow."
        ),
    ),
    "another writer": (
        observation(
            180.0,
            2,
            conflict=Conflict(
                kind=ConflictKind.AUTOSCALER, other="HorizontalPodAutoscaler/resnet", message=""
            ),
        ),
        None,
        (
            "Would go from 2 to 3 replicas. Nothing is written: HorizontalPodAutoscaler/resnet also "
            "sets these replicas. With 2 replicas 5.6 % of 186 requests/s would be late; 1 % may be."
        ),
    ),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_message(case: str) -> None:
    seen, memory, message = MESSAGES[case]
    assert told(seen, memory).message == message


def test_what_is_not_measured_is_said() -> None:
    """What to add, the condition SLOMet says."""
    assert "Whether the objective is met is not measured." in told(observation(150.0, 2)).seen


def test_a_queue_time_objective_is_told_in_its_own_words() -> None:
    of = policy(objective=QueueTimeObjective(mean_seconds=0.03))
    explanation = told(observation(150.0, 2, of=of))
    assert "The mean queue time is above the objective of 30 ms." in explanation.seen
    assert "the mean queue time would be" in explanation.why_not_fewer


def test_an_unknown_price_is_said() -> None:
    seen = observation(150.0, 2)
    assert "no price is known" in explain(plan_of(seen), seen).cost


def test_what_is_not_learned_is_said() -> None:
    assert "not known yet" in told(observation(0.0, 2), PolicyMemory()).expected


def test_every_reason_code_has_a_sentence_without_jargon() -> None:
    seen = observation(150.0, 2)
    plan = plan_of(seen)
    values: tuple[tuple[str, str | float | int], ...] = (
        ("message", "exceeded quota"),
        ("detail", "d"),
        ("reason", "Stale"),
        ("source", "policy"),
        ("percent", 97),
        ("replicas", 3),
        ("pods", 2),
        ("seconds", 240),
        ("wanted", 3),
        ("trouble", "ImagePullBackOff"),
        ("node", "gpu-1"),
        ("why", "the model is decoupled"),
        ("error", "ValueError"),
        ("name", "mornings"),
        ("bound", "at least"),
        ("wait", 90.0),
        ("due", 600.0),
        ("waiting", 1200),
        ("within", 600.0),
        ("warm", 20.0),
        ("cold", 180.0),
        ("start", 180.0),
        ("target", 70),
        ("measure", "late"),
        ("observed", 0.03),
        ("predicted", 0.002),
        ("effective", 1.8),
        ("pod", "resnet-0"),
        ("times", 2.3),
        ("further", 1),
        ("idle", 1),
        ("before", 240.0),
        ("usual", 200.0),
        ("since", 1_700_000_000.0),
        ("until", 1_800_000_000.0),
        ("now", 42),
        ("held", 61),
        ("slowest", "Tesla-T4"),
        ("others", "NVIDIA-L4"),
        ("size", 4),
        ("cap", 4.5),
        ("limit", "nodes"),
        ("most", 12.0),
        ("takers", "shop/ranker, shop/search"),
        ("higher", 1),
        ("own", 0),
        ("largest", 8),
        ("variant", "spot"),
        ("variants", "spot"),
        ("pool", "g6-spot"),
        ("zone", "eu-west-1a"),
        ("probed", 1),
        ("saved", 0.42),
        ("extra", 0.1),
        ("floor", 2),
    )
    for code in sentences.REASON_CODES:
        text = sentences.reason_sentence(Reason(code=code, values=values), plan, seen)
        assert text
        assert not {"λ", "ρ", "None", "censored"} & set(text.split())


def test_a_message_fits_the_status_field() -> None:
    reasons = (Reason(code="refused", values=(("message", "x" * 120),)),) * 3
    seen = observation(180.0, 2)
    plan = replace(plan_of(seen), reasons=reasons, limited_by=LimitedBy.CAPACITY)
    assert len(explain(plan, seen).message) <= LONGEST_MESSAGE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (count(1, "replica"), "1 replica"),
        (count(0, "replica"), "0 replicas"),
        (rate(3.25), "3.2 requests/s"),
        (rate(420.4), "420 requests/s"),
        (percent(0.99), "99 %"),
        (percent(0.9993), "99.93 %"),
        (percent(0.9999), "99.99 %"),
        (percent(0.99999), "99.99 %"),
        (percent(1 - 0.9999), "0.01 %"),
        (percent(1.0), "100 %"),
        (percent(0.0004), "0.04 %"),
        (percent(0.00004), "0 %"),
        (many(37_444.0), "37,400"),
        (many(190.4), "190"),
        (small_money(Decimal("0.06123")), "$0.061"),
        (small_money(Decimal("0.2004")), "$0.20"),
        (small_money(Decimal("0.00000124")), "$0.0000012"),
        (small_money(Decimal(0)), "$0.00"),
        (small_money(Decimal("12.345")), "$12.34"),
        (percent(0.985), "98.5 %"),
        (seconds(0.0042), "4.2 ms"),
        (seconds(0.3), "300 ms"),
        (seconds(2.5), "2.5 s"),
        (seconds(3600.0), "60 min"),
        (duration(20.0), "20 s"),
        (duration(95.0), "2 min"),
        (duration(600.0), "10 min"),
        (duration(7200.0), "2 h"),
        (duration(40 * 3600.0), "40 h"),
        (duration(3 * 86_400.0), "3 days"),
    ],
)
def test_numbers_read_well(text: str, expected: str) -> None:
    assert text == expected
