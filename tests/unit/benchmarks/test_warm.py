"""What the benchmark of warm nodes counts, and that sharing pays on its services."""

import numpy as np
import pytest

from benchmarks.warm import PRICES, REPLICAS, filled_replicas, judged, learned, sizes


def test_nodes_that_were_too_few() -> None:
    """Of two services one grew by two replicas, the other by none."""
    filled = np.array([[1.0, 2.9], [0.5, 0.4]])
    assert judged(filled, 1, np.array([2.0, 0.0])) == (1.0, 2.0, 1.0, 0.0)
    assert judged(filled, 2, np.array([1.0, 0.0])) == (2.0, 1.0, 0.0, 0.5)


def test_the_services_ask_for_as_many_replicas_as_said() -> None:
    filled = filled_replicas(None)
    assert filled.shape == (162, 2016)
    assert np.ceil(filled - 0.02).clip(min=0).sum(axis=0).mean() == pytest.approx(
        REPLICAS, rel=0.01
    )


def test_after_some_hours_all_together_need_fewer_than_each_by_itself() -> None:
    part = filled_replicas(None)[:, 300:324]
    *_, (_, records) = learned(part)
    found = sizes(records, part[:, -1])
    together, each = found[162, PRICES[1]]
    assert 0 < together < 0.5 * each.sum()
