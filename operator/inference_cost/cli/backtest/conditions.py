"""Under what a run took place, in one line: the objective as replayed, the price, the form of the arrivals."""

from inference_cost.cli.backtest.result_model import (
    ArrivalsInput,
    Document,
    FleetDocument,
    PolicyInputs,
)

SECOND = 1000.0  # milliseconds
FORMS = {
    "counts": "counts per {width:g} s",
    "rates": "rates per {width:g} s",
    "requests": "one row per request",
    "history": "history of Prometheus per {width:g} s",
}


def conditions(document: Document | FleetDocument) -> str:
    """The line that stands below the sentence: objective as replayed, price, arrivals."""
    if isinstance(document, Document):
        inputs: tuple[PolicyInputs, ...] = (document.inputs,)
    else:
        inputs = tuple(result.inputs for result in document.results)
    price = inputs[0].price  # the same of all
    return (
        f"{_objectives(inputs)}. A replica costs ${price.per_replica_hour} per hour ({price.source}). "
        f"Arrivals: {', '.join(dict.fromkeys(_form(one.arrivals) for one in inputs))}."
    )


def threshold_milliseconds(inputs: PolicyInputs) -> float:
    """As replayed, that is stretched along with the service times."""
    return inputs.objective.threshold_milliseconds * inputs.stretch


def _objectives(inputs: tuple[PolicyInputs, ...]) -> str:
    if len(inputs) == 1:
        (one,) = inputs
        return f"Objective: {_target(one)} within {duration(threshold_milliseconds(one))}{_stretch(one)}"
    targets = " or ".join(dict.fromkeys(map(_target, inputs)))
    thresholds = sorted(map(threshold_milliseconds, inputs))
    ends = dict.fromkeys((duration(thresholds[0]), duration(thresholds[-1])))
    stretched = ", stretched" if any(one.stretch != 1 for one in inputs) else ""
    return f"Objectives: {targets} within {' to '.join(ends)}{stretched}"


def _target(inputs: PolicyInputs) -> str:
    return f"{inputs.objective.target_percent:g} %"


def _stretch(inputs: PolicyInputs) -> str:
    if inputs.stretch == 1:
        return ""
    asked = duration(inputs.objective.threshold_milliseconds)
    return f" ({asked} and service times stretched by {inputs.stretch:.4g})"


def duration(milliseconds: float) -> str:
    if milliseconds < SECOND:
        return f"{milliseconds:.3g} ms"
    return f"{milliseconds / SECOND:,.4g} s"


def _form(arrivals: ArrivalsInput) -> str:
    return FORMS[arrivals.form].format(width=arrivals.width_seconds)
