"""The order of the scenarios: calm ones first, then what disturbs everybody, the audit at the end."""

import pytest

MODULES = (
    "test_table",
    "test_recommend",
    "test_bad_input",
    "test_conflicts",
    "test_pause",
    "test_deletion",
    "test_moves",
    "test_upgrade",
    "test_no_room",
    "test_scale_in_order",
    "test_peers",
    "test_adopt",
    "test_interruptions",
    "test_long",
    "test_leader_killed",
    "test_load_step",
    "test_missing_metrics",
    "test_rollout",
    "test_variants",
    "test_warm",
    "test_looking",
    "test_prometheus_stopped",
    "test_switch",
    "test_rights",
)


def place(item: pytest.Item) -> int:
    """Rank of a scenario's module.

    Raises:
        ValueError: the module is not in the list above.
    """
    return MODULES.index(item.path.stem)
