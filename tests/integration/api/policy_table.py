"""Accepted and rejected specs of InferenceCostPolicy."""

from typing import Any, Final

from tests.integration.api.cases import (
    REMOVED,
    Cases,
    adjusted,
    at_most,
    changed,
    decimal,
    needs,
    one_of,
    prose,
    rule,
    text,
    unique,
    within,
)

LIMIT: Final = {"type": "Pods", "value": 2, "periodSeconds": 60}
MORNINGS: Final = {
    "name": "weekday mornings",
    "start": "0 8 * * 1-5",
    "end": "0 12 * * 1-5",
    "timeZone": "Europe/Berlin",
    "minReplicas": 4,
    "maxReplicas": 12,
}
BASE: Final[dict[str, Any]] = {
    "apiVersion": "inferencecost.dev/v1alpha1",
    "kind": "InferenceCostPolicy",
    "metadata": {"name": "row"},
    "spec": {
        "mode": "Enforce",
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "resnet"},
        "minReplicas": 2,
        "maxReplicas": 10,
        "slo": {"latency": {"thresholdMilliseconds": 100, "target": "99.0"}},
        "signal": {"type": "Latency"},
        "routing": "LeastRequest",
        "serving": {"models": ["resnet50"]},
        "behavior": {
            "scaleUp": {
                "stabilizationWindowSeconds": 0,
                "selectPolicy": "Max",
                "policies": [{**LIMIT}],
            },
            "scaleDown": {
                "stabilizationWindowSeconds": 300,
                "selectPolicy": "Min",
                "policies": [{**LIMIT}],
            },
        },
        "fallback": {
            "failureThreshold": 3,
            "replicas": 4,
            "behavior": "CurrentReplicasIfHigher",
        },
        "schedules": [{**MORNINGS}],
        "headroom": {"mode": "Fixed", "replicas": 1},
        "costCenter": "search",
        "monthlyBudget": "2500.00",
        "baseline": "HPA",
    },
}
SMALLEST: Final[dict[str, Any]] = {
    **BASE,
    "spec": {
        "scaleTargetRef": {"name": "resnet"},
        "maxReplicas": 10,
        "slo": {"latency": {"thresholdMilliseconds": 100}},
    },
}
SPOT: Final = {
    "name": "spot",
    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "resnet-spot"},
    "poolRef": {"name": "spot"},
    "minReplicas": 1,
    "maxReplicas": 6,
    "maxTrafficPercent": 80,
}
SAFE: Final = {"name": "on-demand", "scaleTargetRef": {"name": "resnet"}}
VARIANTS: Final = {"spec.scaleTargetRef": REMOVED, "spec.variants": [SPOT, SAFE]}
ALONE: Final = {"spec.fallback": {"behavior": "CurrentReplicas"}, "spec.schedules": []}
DRAIN: Final = {"spec.slo": {"drain": {"withinSeconds": 600}}}
FOLLOW_GPU: Final = {"spec.signal": {"type": "GPUUtilization", "targetPercent": 70}}
QUEUE_TIME: Final = {"spec.slo": {"queueTime": {"meanMilliseconds": 20}}}


def _direction(at: str) -> Cases:
    """`scaleUp` and `scaleDown` have the same shape."""
    return {
        **within(f"{at}.stabilizationWindowSeconds", 0, 3600),
        **one_of(f"{at}.selectPolicy", "Max", "Min", "Disabled", but_not="Mean"),
        **at_most(f"{at}.policies", [LIMIT] * 9),
        **needs(f"{at}.policies[0]", "type", "value", "periodSeconds"),
        **one_of(f"{at}.policies[0].type", "Pods", "Percent", but_not="Nodes"),
        **within(f"{at}.policies[0].value", 1, 10_000),
        **within(f"{at}.policies[0].periodSeconds", 1, 1800),
    }


def _schedules(at: str) -> Cases:
    one = f"{at}[0]"
    many = "1," * 45 + "1"
    return {
        **at_most(at, [MORNINGS] * 17),
        **prose(f"{one}.name", 63),
        **needs(one, "start", "end"),
        **text(
            f"{one}.start",
            *("0 8 * * 1-5", "*/15 6,7 1-7 * MON#1", "30  7 L * *"),
            longest=f"0 08 * * {many}",
            malformed="@daily",
            grow="0",
        ),
        **text(
            f"{one}.end", "0 18 * * *", longest=f"0 12 * * {many}", malformed="0 12 * *", grow="0"
        ),
        **text(
            f"{one}.timeZone",
            *("UTC", "Europe/Berlin", "Etc/GMT+3"),
            longest="America/Argentina/ComodRivadavia",
            malformed="../etc/passwd",
        ),
        **within(f"{one}.minReplicas", 0, 5000, also={f"{one}.maxReplicas": 5000}),
        **adjusted(within(f"{one}.maxReplicas", 1, 5000), {f"{one}.minReplicas": 0}),
        **rule(
            "a schedule sets a bound",
            one,
            "has(self.minReplicas) || has(self.maxReplicas)",
            {f"{one}.minReplicas": REMOVED},
            {f"{one}.maxReplicas": REMOVED},
            rejected={at: [{"start": "0 8 * * *", "end": "0 9 * * *"}]},
            says="a schedule must set `minReplicas`, `maxReplicas` or both",
        ),
        **rule(
            "a schedule does not end as it starts",
            one,
            "self.start != self.end",
            {f"{one}.end": "0 9 * * *"},
            rejected={f"{one}.end": MORNINGS["start"]},
            says="`end` must differ from `start`; the schedule holds from each start to the next end",
        ),
        **rule(
            "the bounds of a schedule are in order, also with those of the spec",
            "spec",
            "!has(self.schedules) || self.schedules.all(s,"
            " (has(s.minReplicas) ? s.minReplicas : self.minReplicas) <="
            " (has(s.maxReplicas) ? s.maxReplicas : self.maxReplicas))",
            {f"{one}.minReplicas": 12},
            {f"{one}.maxReplicas": REMOVED, f"{one}.minReplicas": 10},
            {f"{one}.minReplicas": REMOVED, f"{one}.maxReplicas": 2},
            {at: REMOVED},
            rejected={f"{one}.maxReplicas": REMOVED, f"{one}.minReplicas": 11},
            says="`minReplicas` of a schedule must be less than or equal to its `maxReplicas`; what it"
            " leaves out is that of the spec, so set both",
        ),
    }


def _target(at: str) -> Cases:
    return {
        **text(
            f"{at}.apiVersion",
            *("v1", "apps/v1", "argoproj.io/v1alpha1"),
            longest="a" * 314 + "/v1",
            malformed="apps",
            grow="1",
        ),
        **text(f"{at}.kind", "LeaderWorkerSet", longest="K" * 63, malformed="deployment"),
        **needs(at, "name"),
        **text(f"{at}.name", "a.b-c", longest="n" * 253, malformed="../secrets"),
    }


def _variants(at: str) -> Cases:
    one = f"{at}[0]"
    nine = [{"name": f"v{n}", "scaleTargetRef": {"name": f"resnet-{n}"}} for n in range(9)]
    many = {"spec.maxReplicas": 5000, "spec.minReplicas": 1, **ALONE}
    rows = {
        **at_most(at, nine),
        **unique(at, [SPOT, SAFE], [SPOT, {**SAFE, "name": "spot"}]),
        **needs(one, "name", "scaleTargetRef"),
        **text(f"{one}.name", "spot", "l4-b", longest="v" * 63, malformed="a.b"),
        **_target(f"{one}.scaleTargetRef"),
        **needs(f"{one}.poolRef", "name"),
        **text(f"{one}.poolRef.name", "spot.g6", longest="p" * 253, malformed="Spot"),
        **adjusted(within(f"{one}.minReplicas", 0, 5000), {f"{one}.maxReplicas": REMOVED, **many}),
        **within(f"{one}.maxReplicas", 1, 5000),
        **within(f"{one}.maxTrafficPercent", 1, 100),
        **rule(
            "all traffic can go somewhere",
            "spec",
            "!has(self.variants) || size(self.variants) == 0 ||"
            " self.variants.map(one, one.maxTrafficPercent).sum() >= 100",
            {f"{at}[1].maxTrafficPercent": 20},
            rejected={f"{at}[1].maxTrafficPercent": 19},
            says="`maxTrafficPercent` of the variants must add up to 100 at least",
        ),
        **rule(
            "the bounds of a variant are in order",
            one,
            "!has(self.maxReplicas) || self.minReplicas <= self.maxReplicas",
            {f"{one}.minReplicas": 6},
            {f"{one}.maxReplicas": REMOVED},
            rejected={f"{one}.minReplicas": 7},
            says="`minReplicas` must be less than or equal to `maxReplicas`",
        ),
        **rule(
            "each variant has a target of its own",
            "spec",
            "!has(self.variants) || self.variants.all(one, self.variants.exists_one(other,"
            " other.scaleTargetRef.kind == one.scaleTargetRef.kind &&"
            " other.scaleTargetRef.name == one.scaleTargetRef.name))",
            {f"{at}[1].scaleTargetRef": {"kind": "StatefulSet", "name": "resnet-spot"}},
            rejected={f"{at}[1].scaleTargetRef.name": "resnet-spot"},
            says="each of `variants` must have a `scaleTargetRef` of its own",
        ),
        **rule(
            "the minima of the variants fit in maxReplicas",
            "spec",
            "!has(self.variants) ||"
            " self.variants.map(one, one.minReplicas).sum() <= self.maxReplicas",
            {f"{at}[1].minReplicas": 9},
            rejected={f"{at}[1].minReplicas": 10},
            says="`minReplicas` of the variants must not add up to more than `maxReplicas`",
        ),
        **within("spec.minOnDemandReplicas", 0, 5000, also=many),
        **rule(
            "a floor on demand is for variants, and within maxReplicas",
            "spec",
            "self.minOnDemandReplicas <= (has(self.variants) && size(self.variants) > 0 ?"
            " self.maxReplicas : 0)",
            {"spec.minOnDemandReplicas": 10},
            rejected={"spec.minOnDemandReplicas": 11},
            says="`minOnDemandReplicas` must not be more than `maxReplicas`",
        ),
    }
    return adjusted(rows, VARIANTS)


OF_VARIANTS: Final[dict[str, Any]] = changed(BASE, VARIANTS)
CASES_OF_VARIANTS: Final[Cases] = rule(
    "the target of a variant may not be changed",
    "spec.variants[0].scaleTargetRef",
    "self == oldSelf",
    {"spec.maxReplicas": 11},
    rejected={"spec.variants[0].scaleTargetRef.name": "bert"},
    says="`scaleTargetRef` may not be changed; create a new policy for the other target",
    on_update=True,
)
CASES: Final[Cases] = {
    **needs("", "spec"),
    **needs("spec", "maxReplicas", "slo"),
    **rule(
        "a policy is for one workload or for variants",
        "spec",
        "has(self.scaleTargetRef) != (has(self.variants) && size(self.variants) > 0)",
        {},
        VARIANTS,
        rejected={"spec.variants": [SPOT, SAFE]},
        says="exactly one of `scaleTargetRef` and `variants` must be set",
    ),
    **_variants("spec.variants"),
    **one_of("spec.spotRisk", "Priced", "SurviveLargestZone", but_not="None"),
    **decimal("spec.maxHourlyCost"),
    **within("spec.priority", 0, 1_000_000_000),
    **one_of("spec.mode", "Recommend", "Enforce", but_not="Observe"),
    **_target("spec.scaleTargetRef"),
    **rule(
        "the target of a policy may not be changed",
        "spec.scaleTargetRef",
        "self == oldSelf",
        {"spec.maxReplicas": 11},
        rejected={"spec.scaleTargetRef.name": "bert"},
        says="`scaleTargetRef` may not be changed; create a new policy for the other target",
        on_update=True,
    ),
    **adjusted(within("spec.minReplicas", 0, 5000), {**ALONE, "spec.maxReplicas": 5000}),
    **adjusted(within("spec.maxReplicas", 1, 5000), {**ALONE, "spec.minReplicas": 1}),
    **rule(
        "minReplicas may equal maxReplicas, not exceed it",
        "spec",
        "self.minReplicas <= self.maxReplicas",
        {"spec.minReplicas": 4, "spec.maxReplicas": 4},
        rejected={"spec.minReplicas": 11, "spec.fallback": {"behavior": "CurrentReplicas"}},
        says="`minReplicas` must be less than or equal to `maxReplicas`; lower the one or raise the"
        " other",
    ),
    **rule(
        "an SLO has exactly one objective",
        "spec.slo",
        "[has(self.latency), has(self.queueTime), has(self.drain)].filter(x, x).size() == 1",
        {},
        QUEUE_TIME,
        DRAIN,
        rejected={"spec.slo.drain": {"withinSeconds": 600}},
        says="`slo` must have exactly one objective: set `latency`, `queueTime` or `drain`",
    ),
    **needs("spec.slo.latency", "thresholdMilliseconds"),
    **within("spec.slo.latency.thresholdMilliseconds", 1, 600_000),
    **text(
        "spec.slo.latency.target",
        *("50", "95", "99.0", "99.99"),
        longest="099.90",
        malformed="99%",
        grow="0",
        may_be_empty=True,
    ),
    **rule(
        "a latency target is from 50 to 99.99 percent",
        "spec.slo.latency",
        "double(self.target) >= 50.0 && double(self.target) <= 99.99",
        {"spec.slo.latency.target": "50.0"},
        {"spec.slo.latency.target": "99.99"},
        rejected={"spec.slo.latency.target": "100"},
        says='`target` must be from 50 to 99.99 percent, written as a string: "99.0"',
    ),
    **adjusted(needs("spec.slo.queueTime", "meanMilliseconds"), QUEUE_TIME),
    **adjusted(within("spec.slo.queueTime.meanMilliseconds", 1, 600_000), QUEUE_TIME),
    **adjusted(needs("spec.slo.drain", "withinSeconds"), DRAIN),
    **adjusted(within("spec.slo.drain.withinSeconds", 10, 86_400), DRAIN),
    **adjusted(within("spec.signal.targetPercent", 1, 100), FOLLOW_GPU),
    **rule(
        "a target of GPU utilization belongs to that signal",
        "spec.signal",
        "has(self.targetPercent) == (self.type == 'GPUUtilization')",
        {"spec.signal": {"type": "Latency"}},
        FOLLOW_GPU,
        rejected={"spec.signal": {"type": "GPUUtilization"}},
        says="`targetPercent` must be set when `type` is GPUUtilization",
    ),
    **one_of(
        "spec.signal.type",
        *("Latency", "GPUUtilization"),
        but_not="CPUUtilization",
        also={"GPUUtilization": {"spec.signal.targetPercent": 70}},
    ),
    **one_of("spec.routing", "Equal", "LeastRequest", but_not="Random"),
    **at_most("spec.serving.models", [f"model-{n}" for n in range(33)]),
    **unique("spec.serving.models", ["a", "b"], ["a", "b", "a"]),
    **text("spec.serving.models[0]", "bert_large.v2+fp16", longest="m" * 253, malformed="a b"),
    **_direction("spec.behavior.scaleUp"),
    **_direction("spec.behavior.scaleDown"),
    **within("spec.fallback.failureThreshold", 1, 1000),
    **adjusted(
        within("spec.fallback.replicas", 1, 5000), {"spec.minReplicas": 1, "spec.maxReplicas": 5000}
    ),
    **one_of(
        "spec.fallback.behavior",
        *("Static", "CurrentReplicas", "CurrentReplicasIfHigher", "CurrentReplicasIfLower"),
        but_not="static",
    ),
    **rule(
        "fallback replicas may be left out for CurrentReplicas only",
        "spec.fallback",
        "self.behavior == 'CurrentReplicas' || has(self.replicas)",
        {"spec.fallback": {"behavior": "CurrentReplicas"}},
        rejected={"spec.fallback": {"behavior": "Static"}},
        says="`replicas` must be set unless `behavior` is CurrentReplicas",
    ),
    **rule(
        "fallback replicas are from minReplicas to maxReplicas",
        "spec",
        "!has(self.fallback) || !has(self.fallback.replicas) ||"
        " (self.fallback.replicas >= self.minReplicas &&"
        " self.fallback.replicas <= self.maxReplicas)",
        {"spec.fallback.replicas": 2},
        {"spec.fallback.replicas": 10},
        {"spec.fallback": REMOVED},
        rejected={"spec.fallback.replicas": 11},
        says="`fallback.replicas` must be from `minReplicas` to `maxReplicas`",
    ),
    **_schedules("spec.schedules"),
    **one_of(
        "spec.headroom.mode",
        *("Auto", "Fixed", "Disabled"),
        but_not="Some",
        also={
            "Auto": {"spec.headroom.replicas": REMOVED},
            "Disabled": {"spec.headroom.replicas": REMOVED},
        },
    ),
    **within("spec.headroom.replicas", 1, 5000),
    **rule(
        "headroom replicas go with mode Fixed",
        "spec.headroom",
        "has(self.replicas) == (self.mode == 'Fixed')",
        {"spec.headroom": {}},
        {"spec.headroom": {"mode": "Fixed", "replicas": 2}},
        rejected={"spec.headroom": {"mode": "Auto", "replicas": 2}},
        says="`replicas` must be set when `mode` is Fixed and must not be set otherwise",
    ),
    **text(
        "spec.costCenter", "", "R-D.4711", longest="c" * 63, malformed="=1+1", may_be_empty=True
    ),
    **decimal("spec.monthlyBudget", smallest="0.01"),
    **rule(
        "a budget is more than nothing",
        "spec",
        "!has(self.monthlyBudget) || double(self.monthlyBudget) > 0.0",
        {"spec.monthlyBudget": "0.000001"},
        {"spec.monthlyBudget": REMOVED},
        rejected={"spec.monthlyBudget": "0.00"},
        says="`monthlyBudget` must be greater than 0",
    ),
    **one_of("spec.baseline", "Observed", "HPA", "StaticPeak", but_not="Hope"),
}
