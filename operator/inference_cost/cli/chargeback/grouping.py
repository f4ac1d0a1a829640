"""What rows are, from --by."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inference_cost.account.chargeback import By, ByLabel
from inference_cost.cli.failure import usage

LABEL = "label:"


def grouping_of(by: str, policies: Callable[[], Sequence[Mapping[str, Any]]]) -> By | ByLabel:
    """`policies`: asked for only where their labels are needed.

    Raises:
        CommandError: it is none of these, or the policies cannot be read.
    """
    if by.startswith(LABEL) and len(by) > len(LABEL):
        label = by.removeprefix(LABEL)
        return ByLabel(label=label, values=dict(_value(one, label) for one in policies()))
    try:
        return By(by)
    except ValueError:
        known = ", ".join(one.value for one in By)
        raise usage(f"--by {by}: must be one of {known}, or label:KEY such as label:team") from None


def _value(policy: Mapping[str, Any], label: str) -> tuple[tuple[str, str], str]:
    metadata = policy["metadata"]
    labels = metadata.get("labels") or {}
    return (metadata["namespace"], metadata["name"]), str(labels.get(label, ""))
