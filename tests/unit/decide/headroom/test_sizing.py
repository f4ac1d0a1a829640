"""All of it together, look by look."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from inference_cost.decide.headroom import learned as layout
from inference_cost.decide.headroom import sizing
from tests.unit.decide.headroom.cases import MIDNIGHT, TICK, look, serving

LARGEST_BYTES = 24_000  # of a policy's memory


def test_what_is_learned_of_a_policy_is_bounded() -> None:
    assert layout.new_vector().nbytes < LARGEST_BYTES


def test_views_share_the_vector_and_cover_it() -> None:
    vector = layout.new_vector()
    for i, view in enumerate(layout.views(vector)):
        view[...] = i
    assert sorted(set(vector.tolist())) == list(range(len(layout.Learned._fields)))


def test_a_higher_demand_never_needs_fewer() -> None:
    vector = layout.new_vector()
    for i in range(100):
        sizing.size(vector, look(100.0, at=MIDNIGHT + i * TICK), serving(), 0.01)
    sizes = [
        sizing.size(vector.copy(), look(rate, latest=100.0), serving(), 0.01).now
        for rate in (50.0, 100.0, 110.0, 200.0, 1000.0)
    ]
    assert sizes == sorted(sizes)


def test_never_fewer_to_keep_than_to_have() -> None:
    vector, draw = layout.new_vector(), np.random.default_rng(3)
    for i in range(200):
        rate = 100 * float(draw.exponential())
        size = sizing.size(vector, look(rate, at=MIDNIGHT + i * TICK), serving(), 0.01)
        assert size.keep >= size.now >= rate / 12.0 - 1
        assert 0 <= size.late <= rate * TICK


@pytest.mark.parametrize(
    "zeros", [0, 1, 40], ids=["with the first look", "after one", "long after"]
)
def test_a_load_that_is_turned_on_is_not_taken_for_a_leap_to_come(zeros: int) -> None:
    """The first window fills with it: what it grows by meanwhile says nothing of what follows."""
    vector, sizes = layout.new_vector(), []
    rates = [0.0] * zeros + [25.0, 50.0, 75.0] + [100.0] * 60
    for i, rate in enumerate(rates):
        came = 100.0 if rate else 0.0
        seen = look(rate, latest=came, at=MIDNIGHT + i * TICK)
        sizes.append(sizing.size(vector, seen, serving(), 0.01).now)
    needed = 100.0 / serving().load
    assert max(sizes) <= 1.3 * needed + 1


SCRIPT = """
import json
import numpy as np
from inference_cost.decide.headroom import learned as layout, sizing
from tests.unit.decide.headroom.cases import MIDNIGHT, TICK, look, serving
vector, draw, sizes = layout.new_vector(), np.random.default_rng(7), []
for i in range(300):
    seen = look(100 * float(draw.exponential()), at=MIDNIGHT + i * TICK)
    sizes.append(list(sizing.size(vector, seen, serving(), 0.01)))
vector = np.nan_to_num(vector, nan=-1.0)
print(json.dumps([sizes, vector.tolist()]))
"""


@pytest.mark.timeout(300)
def test_without_numba_the_same_is_said() -> None:
    results = []
    for hide in ("", "import sys; sys.modules['numba'] = None"):
        done = subprocess.run(
            [sys.executable, "-c", hide + SCRIPT],
            env=os.environ | {"PYTHONPATH": "operator:."},
            capture_output=True,
            text=True,
            check=True,
        )
        results.append(json.loads(done.stdout))
    (sizes, vector), (plain_sizes, plain_vector) = results
    assert np.array(sizes)[:, :3].tolist() == np.array(plain_sizes)[:, :3].tolist()
    assert np.allclose(vector, plain_vector, rtol=1e-7, atol=1e-9)
