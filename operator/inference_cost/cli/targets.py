"""What a policy scales, as `Kind/name`."""

from collections.abc import Mapping
from typing import Any


def targets_of(spec: Mapping[str, Any]) -> str:
    """Of all variants, where it has several."""
    alone = spec.get("scaleTargetRef")
    variants = spec.get("variants") or ()
    references = [alone] if alone else [variant["scaleTargetRef"] for variant in variants]
    return ", ".join(map(target_name, references))


def target_name(reference: Mapping[str, Any]) -> str:
    return f"{reference.get('kind', 'Deployment')}/{reference['name']}"
