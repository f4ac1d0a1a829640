"""What `explain` and `status` say, from a status that the operator rendered."""

import json
from dataclasses import replace

from inference_cost.cli.explanation import CHANGED, NOT_YET, explanation_of
from inference_cost.cli.fleet.summary import summary_of
from inference_cost.cli.rendering import as_json, explanation_data, explanation_text, table
from inference_cost.model.plan import Action, LimitedBy, PoolStarts, Reason
from inference_cost.model.reading import MissingReason
from tests.unit.act_status.views import attained, limited, missing, plan, seen
from tests.unit.cli.objects import decided, policy, refused

OUT = replace(
    limited(LimitedBy.MAX_REPLICAS, needed=11, desired=9), action=Action.SCALE_OUT, write=True
)


def test_every_part_of_the_answer_is_there() -> None:
    told = explanation_of(decided(OUT))
    assert told.seen.startswith("120 requests/s, 1 replica of 1 ready.")
    assert told.expected.startswith(
        "Up to 150 requests/s before a replica ordered now could serve."
    )
    assert told.chosen == "Go from 1 to 9 replicas."
    assert told.why_not_fewer
    assert told.limited == "MaxReplicas: 11 would be needed, but maxReplicas is 9."
    assert told.cost == (
        "4.00 USD per hour now, 12.00 with 9 replicas. 0.00 USD this month since "
        "2025-11-22T12:00:00Z (100.0 % of the time is known). "
        "Prices: ShippedTable, as of 2025-11-22."
    )
    assert told.slo.startswith("Unknown. Not measured. Set `gateway.preset`")
    assert not told.slo_violated
    assert told.attention == ()


def test_the_text_has_a_line_for_each_part_and_no_color_unless_asked() -> None:
    told = explanation_of(decided(OUT))
    text = explanation_text(told, color=False)
    assert text.startswith(
        "team-a/resnet: Recommend for Deployment/resnet, decided 2025-11-22T12:00:00Z"
    )
    labels = ("Objective", "Seen", "Expected", "Chosen", "Why not fewer", "Limited by", "Cost")
    assert [line[2:18].strip() for line in text.splitlines()[1:] if line[2] != " "] == list(labels)
    assert all(len(line) <= 100 for line in text.splitlines()[1:])
    assert "\033[" not in text
    assert "\033[1m" in explanation_text(told, color=True)


def test_what_was_found_about_the_model_is_told() -> None:
    slow = replace(
        OUT,
        reasons=(
            Reason(code="objective-unreachable"),
            Reason(code="outside-model", values=(("why", "it is decoupled"),)),
        ),
    )
    told = explanation_of(decided(slow))
    assert told.found.startswith("Even an idle replica is too slow for the objective")
    assert "it is decoupled" in told.found
    assert told.limited == explanation_of(decided(OUT)).limited
    assert "Found" in explanation_text(told, color=False)


def test_how_long_starts_take_has_its_own_line() -> None:
    starts = (PoolStarts(pool="spot", count=3, p50_seconds=80.0, p95_seconds=300.0),)
    told = explanation_of(decided(plan(starts=starts)))
    assert told.starts == "Half of the last 3 in pool spot within 80 s, 95 % within 5 min."
    assert told.limited == explanation_of(decided(plan())).limited
    assert "Starts" in explanation_text(told, color=False)


def test_json_carries_all_that_text_does() -> None:
    told = explanation_of(decided(OUT))
    stored = json.loads(as_json(explanation_data(told)))
    assert stored["whyNotFewer"] == told.why_not_fewer
    assert set(stored) == {
        "namespace", "name", "target", "mode", "time", "note", "seen", "expected", "chosen",
        "whyNotFewer", "limited", "room", "found", "starts", "cost", "slo", "sloViolated",
        "attention",
    }  # fmt: skip


def test_a_violated_objective_is_marked() -> None:
    told = explanation_of(decided(plan(attainment=attained(0.5))))
    assert told.slo_violated
    assert told.slo.startswith("Violated. 50.00 % of 4000 requests")


def test_what_needs_attention_is_said_with_its_fix() -> None:
    gap = missing(MissingReason.SOURCE_UNREACHABLE, "connection refused")
    told = explanation_of(decided(plan(demand=gap), seen(signals=gap)))
    assert [(a.condition, a.reason) for a in told.attention] == [
        ("MetricsAvailable", "SourceUnreachable")
    ]
    assert "`prometheus.url`" in explanation_text(told, color=False)


def test_a_refused_spec_says_the_field() -> None:
    told = explanation_of(refused())
    assert "`spec.minReplicas`: must be at most" in told.attention[0].message
    assert "Accepted=False" in explanation_text(told, color=False)


def test_an_unknown_price_is_named() -> None:
    assert "Price unknown: pool a100 has no price." in explanation_of(decided(price=None)).cost


def test_a_policy_nobody_has_looked_at_yet() -> None:
    told = explanation_of(policy(None))
    assert told.note == NOT_YET
    assert NOT_YET.split("`")[0].strip() in " ".join(explanation_text(told, color=False).split())


def test_a_changed_spec_is_said() -> None:
    changed = decided()
    changed["metadata"]["generation"] = 2
    assert explanation_of(changed).note == CHANGED


def test_a_summary_is_one_line_of_the_same_facts() -> None:
    row = summary_of(decided(OUT))
    assert row.to_cells() == {
        "namespace": "team-a",
        "name": "resnet",
        "target": "Deployment/resnet",
        "mode": "Recommend",
        "replicas": "1",
        "desired": "9",
        "slo": "Unknown",
        "cost/h": "4.00",
        "limited-by": "MaxReplicas",
        "ready": "True",
    }
    head, line = table([row.to_cells()]).splitlines()
    assert head.split() == [name.upper() for name in row.to_cells()]
    assert line.split() == list(row.to_cells().values())


def test_a_table_shows_what_is_not_known_as_a_dash() -> None:
    line = table([summary_of(policy(None)).to_cells()]).splitlines()[1]
    assert line.split().count("-") == 6


def test_of_several_variants_all_targets_are_named() -> None:
    of_variants = decided(OUT)
    of_variants["spec"]["variants"] = [
        {"name": "spot", "scaleTargetRef": {"name": "resnet-spot"}},
        {"name": "safe", "scaleTargetRef": {"kind": "StatefulSet", "name": "resnet"}},
    ]
    del of_variants["spec"]["scaleTargetRef"]
    named = "Deployment/resnet-spot, StatefulSet/resnet"
    assert explanation_of(of_variants).target == named
    assert summary_of(of_variants).target == named
