"""Echoes INPUT0 after alpha + beta·b, b being the size of the batch that Triton formed.

Runs inside Triton's Python backend, which has only the standard library and NumPy.
"""

import json
import time
from typing import Any

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        parameters = json.loads(args["model_config"])["parameters"]
        self.alpha_seconds = _seconds(parameters["alpha_milliseconds"])
        self.beta_seconds = _seconds(parameters["beta_milliseconds"])

    def execute(self, requests: list[Any]) -> list[Any]:
        start = time.monotonic()
        inputs = [pb_utils.get_input_tensor_by_name(request, "INPUT0") for request in requests]
        batch = sum(tensor.shape()[0] for tensor in inputs)
        outputs = [pb_utils.Tensor("OUTPUT0", tensor.as_numpy()) for tensor in inputs]
        responses = [pb_utils.InferenceResponse([output]) for output in outputs]
        # The work above is part of the batch's time, not on top of it.
        end = start + self.alpha_seconds + self.beta_seconds * batch
        time.sleep(max(0.0, end - time.monotonic()))
        return responses


def _seconds(parameter: dict[str, str]) -> float:
    return float(parameter["string_value"]) / 1000
