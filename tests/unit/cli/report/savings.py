"""Savings as they are recorded, of policies that are otherwise of no matter."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st

from inference_cost.cli.report.comparing import savings_of
from inference_cost.cli.report.document import PolicyPart
from inference_cost.cli.report.money import Rounding
from inference_cost.cli.report.recorded import Compared, Pair, Recorded
from inference_cost.cli.report.service import Service, policy_part

CENTS = Rounding(unit=Decimal("0.01"))
PIECES = 4
TARGET = 99.0
NOTHING_RECORDED = Recorded(
    lines={},
    means={},
    compared={},
    limited={},
    limited_hours={},
    unpriced_pools={},
    began_late=(),
    fell=(),
)


def compared(
    ours: float, theirs: float, hours: float, *, late: float = 0.0, requests: float = 1000.0
) -> Compared:
    """Sums, in pieces of equal length of which the first is silent."""

    def each(whole: float) -> tuple[float, ...]:
        return (0.0, *(whole / (PIECES - 1),) * (PIECES - 1))

    return Compared(
        hours=each(hours),
        ours=each(ours),
        theirs=each(theirs),
        requests=each(requests),
        ours_late=each(requests * late),
        theirs_late=each(0.0),
    )


def recorded(**pairs: Compared) -> Recorded:
    """By policy and mode, as in `resnet_Enforce`."""
    found = {}
    for key, one in pairs.items():
        name, _, mode = key.rpartition("_")
        found[Pair(("serving", name), "HPA", mode)] = one
    return replace(NOTHING_RECORDED, compared=found)


def policies(found: Recorded) -> tuple[PolicyPart, ...]:
    names = sorted({pair.policy for pair in found.compared})
    return tuple(
        policy_part(
            name,
            None,
            cost=Decimal(0),
            service=Service(requests=None, requests_hours=0.0, in_time=None, in_time_requests=0.0),
            recorded_hours=48.0,
            replicas=None,
            savings=savings_of(found, name, TARGET, CENTS),
            rounding=CENTS,
        )
        for name in names
    )


MIXED = recorded(
    enforced_Enforce=compared(60.0, 100.0, 48.0),
    dearer_Enforce=compared(150.0, 100.0, 48.0),
    watching_Recommend=compared(70.0, 100.0, 48.0),
    late_Enforce=compared(1.0, 1000.0, 48.0, late=0.5),
)


amounts = st.floats(0, 1e6, allow_nan=False)
modes = st.sampled_from(["Enforce", "Recommend"])
worlds = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), modes).map("_".join),
    st.builds(
        compared,
        amounts,
        amounts,
        st.one_of(st.just(0.0), st.floats(1e-9, 2e4)),
        late=st.sampled_from([0.0, 0.5]),
        requests=st.sampled_from([0.0, 1.0, 1e9]),
    ),
    max_size=5,
)
