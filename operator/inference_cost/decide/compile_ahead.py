"""Compiles what is compiled before the first decision needs it, which would else wait."""

import numpy as np

from inference_cost.decide.headroom.history import relive
from inference_cost.decide.headroom.learned import from_bytes, new_vector, to_bytes, views
from inference_cost.decide.headroom.regression import Look
from inference_cost.decide.headroom.shadow import Serving, late_at
from inference_cost.decide.headroom.sizing import size
from inference_cost.decide.latency.loads import largest_load, late_shares
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.decide.replica.service_time import idle_after_batch
from inference_cost.decide.serving import LOADS, any_serving, queue_by_load
from inference_cost.model.policy import LatencyObjective


def compile_ahead() -> None:
    """Some ten seconds, or less than one where the machine code was kept. Any thread may do it."""
    look = Look(*(1.0 for _ in Look._fields))
    replica: Serving = any_serving()
    one = Replica(alpha_seconds=1.0, beta_seconds=1.0, max_batch_size=1, batching=Batching.GREEDY)
    idle_after_batch(1.0)
    late_at(replica.late, 0.5)
    late_shares(one, 1.0, 1.0 * LOADS)
    queue_by_load(one)
    largest_load(one, LatencyObjective(threshold_seconds=1.0, target_fraction=0.9))
    size(from_bytes(to_bytes(new_vector())), look, replica, 0.01)
    relive(views(new_vector()), look, replica, np.zeros((0, 4)))
