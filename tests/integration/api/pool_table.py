"""Accepted and rejected specs of CapacityPool and data of InferenceCostCheckpoint."""

from typing import Any, Final

from tests.integration.api.cases import (
    PHRASES,
    REMOVED,
    Case,
    Cases,
    adjusted,
    at_most,
    date_time,
    decimal,
    needs,
    one_of,
    prose,
    rule,
    text,
    unique,
    within,
)
from tests.integration.api.constraints import Constraint

LABEL: Final = "spec.nodeSelector.matchLabels"
PRICE: Final = "spec.offerings[0].perNodeHour"
KEY_RULE: Final = (
    "self.matchLabels.all(key, key.matches("
    "'^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$'))"
)


def _offering(zone: str) -> dict[str, str]:
    return {"instanceType": "g4dn.xlarge", "zone": zone, "perNodeHour": "0.526"}


BASE: Final[dict[str, Any]] = {
    "apiVersion": "inferencecost.dev/v1alpha1",
    "kind": "CapacityPool",
    "metadata": {"name": "row"},
    "spec": {
        "nodeSelector": {"matchLabels": {"pool": "t4"}},
        "offerings": [_offering("us-east-1a")],
        "limits": {"nodes": 12},
    },
}
WARM: Final[dict[str, Any]] = {"spec.warm": {"strategy": "Placeholder", "min": 1, "max": 3}}
SPOT_RULE: Final = (
    "!has(self.warm) || self.warm.strategy == 'None' || !self.nodeSelector.matchLabels.exists(key,"
    " (key + '=' + self.nodeSelector.matchLabels[key]) in ['karpenter.sh/capacity-type=spot',"
    " 'eks.amazonaws.com/capacityType=SPOT', 'cloud.google.com/gke-spot=true',"
    " 'cloud.google.com/gke-preemptible=true', 'cloud.google.com/gke-provisioning=spot',"
    " 'cloud.google.com/gke-provisioning=preemptible', 'kubernetes.azure.com/scalesetpriority=spot',"
    " 'kubernetes.azure.com/priority=spot', 'machine.openshift.io/interruptible-instance=',"
    " 'machine.openshift.io/interruptible-instance=true'])"
)
SPOT: Final = {LABEL: {"karpenter.sh/capacity-type": "spot"}}
DISCOUNT: Final = {"spec.offerings": REMOVED}


CASES: Final[Cases] = {
    **needs("", "spec"),
    **needs("spec", "nodeSelector"),
    **needs("spec.nodeSelector", "matchLabels"),
    "a pool has at least one label": Case(
        constraint=Constraint(path=LABEL, keyword="minProperties"),
        accepted=({LABEL: {"a": "b"}}, {LABEL: {"karpenter.sh/capacity-type": "spot"}}),
        rejected={LABEL: {}},
        says=PHRASES["minProperties"],
    ),
    "a pool has at most eight labels": Case(
        constraint=Constraint(path=LABEL, keyword="maxProperties"),
        accepted=({LABEL: {f"k{n}": "v" for n in range(8)}},),
        rejected={LABEL: {f"k{n}": "v" for n in range(9)}},
        says=PHRASES["maxProperties"],
    ),
    **text(f"{LABEL}.pool", "", "g5", longest="v" * 63, malformed="a b", may_be_empty=True),
    **rule(
        "the keys of a selector are label names",
        "spec.nodeSelector",
        KEY_RULE,
        {LABEL: {"karpenter.sh/nodepool": "gpu", "a" * 63: "x"}},
        rejected={LABEL: {"not a label": "x"}},
        says="each key of `matchLabels` must be a node label, for example karpenter.sh/nodepool",
    ),
    **at_most("spec.offerings", [_offering(f"zone-{n}") for n in range(65)]),
    **unique(
        "spec.offerings",
        [_offering("a"), _offering("b"), _offering("")],
        [_offering("a"), _offering("a")],
    ),
    **needs("spec.offerings[0]", "instanceType", "perNodeHour"),
    **text("spec.offerings[0].instanceType", "g6.xlarge", longest="t" * 63, malformed="-g6"),
    **text(
        "spec.offerings[0].zone", "", "eu-1a", longest="z" * 63, malformed="/", may_be_empty=True
    ),
    **decimal(PRICE, smallest="0.01"),
    **rule(
        "a price is more than zero",
        "spec.offerings[0]",
        "double(self.perNodeHour) > 0.0",
        {PRICE: "0.000001"},
        rejected={PRICE: "0.00"},
        says="`perNodeHour` must be greater than 0; leave the offering out when its price is"
        " unknown",
    ),
    **adjusted(
        text(
            "spec.discountPercent",
            *("0", "12.5", "99.99"),
            longest="099.99",
            malformed="12,5",
            grow="0",
            may_be_empty=True,
        ),
        DISCOUNT,
    ),
    **rule(
        "a discount is less than 100 percent",
        "spec",
        "!has(self.discountPercent) || double(self.discountPercent) < 100.0",
        {**DISCOUNT, "spec.discountPercent": "99.99"},
        rejected={**DISCOUNT, "spec.discountPercent": "100"},
        says='`discountPercent` must be less than 100, written as a string: "12.5"',
    ),
    **within("spec.limits.nodes", 0, 1_000_000),
    **decimal("spec.limits.hourlyCost"),
    **rule(
        "limits limit something",
        "spec.limits",
        "has(self.nodes) || has(self.hourlyCost)",
        {"spec.limits": {"nodes": 0}},
        {"spec.limits": {"hourlyCost": "12.5"}},
        rejected={"spec.limits": {}},
        says="`limits` must have `nodes`, `hourlyCost` or both; leave it out where there is no limit",
    ),
    **rule(
        "a pool has offerings or a discount, not both",
        "spec",
        "!has(self.discountPercent) || size(self.offerings) == 0",
        {},
        DISCOUNT,
        {**DISCOUNT, "spec.discountPercent": "10"},
        rejected={"spec.discountPercent": "10"},
        says="`discountPercent` must not be set together with `offerings`: a price is either given"
        " or derived from the list price",
    ),
    **adjusted(
        {
            **one_of(
                "spec.warm.strategy", "None", "Placeholder", "CapacityBuffer", but_not="Hibernated"
            ),
            **within("spec.warm.min", 0, 100, also={"spec.warm.max": 100}),
            **within("spec.warm.max", 1, 100, also={"spec.warm.min": 0}),
            **rule(
                "the least number of warm nodes is at most the largest",
                "spec.warm",
                "self.min <= self.max",
                {"spec.warm.min": 3},
                {"spec.warm.prePullImages": True},
                rejected={"spec.warm.min": 4},
                says="`min` must be at most `max`; lower it, or raise `max`",
            ),
            **rule(
                "images are loaded by placeholders alone",
                "spec.warm",
                "self.strategy != 'CapacityBuffer' || !self.prePullImages",
                {"spec.warm.strategy": "CapacityBuffer"},
                {"spec.warm.prePullImages": True},
                rejected={"spec.warm.strategy": "CapacityBuffer", "spec.warm.prePullImages": True},
                says="`prePullImages` must not be set with `strategy: CapacityBuffer`, which has no pods"
                " to load images; remove it, or set `strategy: Placeholder`",
            ),
            **rule(
                "spot nodes are not kept warm",
                "spec",
                SPOT_RULE,
                {},
                {LABEL: {"karpenter.sh/capacity-type": "on-demand"}},
                {LABEL: {"karpenter.sh/capacity-type": "reserved"}},
                {**SPOT, "spec.warm.strategy": "None"},
                rejected=SPOT,
                says="`warm` must not be set for spot nodes, which are taken back just when they are"
                " needed; remove it, or set it on a CapacityPool of on-demand or reserved nodes",
            ),
        },
        WARM,
    ),
}
CHECKPOINT_BASE: Final[dict[str, Any]] = {
    "apiVersion": "inferencecost.dev/v1alpha1",
    "kind": "InferenceCostCheckpoint",
    "metadata": {"name": "row"},
    "data": {
        "version": 1,
        "writtenBy": "0.1.0",
        "writtenAt": "2026-01-31T08:00:00Z",
        "payload": "eJyrrgUAAXUA+Q==",
    },
}
CHECKPOINT_CASES: Final[Cases] = {
    **needs("", "data"),
    **needs("data", "version", "writtenBy", "writtenAt", "payload"),
    **within("data.version", 1, 1000),
    **prose("data.writtenBy", 128),
    "writtenBy must not be empty": Case(
        constraint=Constraint(path="data.writtenBy", keyword="minLength"),
        accepted=({"data.writtenBy": "1"},),
        rejected={"data.writtenBy": ""},
        says=PHRASES["minLength"],
    ),
    **date_time("data.writtenAt"),
    **text(
        "data.payload", "", "YQ==", longest="A" * 262_144, malformed="{}", grow="A",
        may_be_empty=True,
    ),
}  # fmt: skip


def _took(part: str) -> Cases:
    at = f"status.leadTime{part}"
    return {
        **needs(at, "starts", "p50Seconds", "p95Seconds"),
        **within(f"{at}.starts", 1, 1_000_000),
        **within(f"{at}.p50Seconds", 0, 86_400),
        **within(f"{at}.p95Seconds", 0, 86_400),
    }


_TOOK: Final = {"starts": 20, "p50Seconds": 90, "p95Seconds": 180}
LEAD_TIME: Final = {**_TOOK, **{part: dict(_TOOK) for part in ("node", "image", "pod")}}
LEAD_TIME_CASES: Final[Cases] = {
    **_took(""),
    **_took(".node"),
    **_took(".image"),
    **_took(".pod"),
}
