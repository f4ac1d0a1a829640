"""The decorator of the simulator's compiled functions."""

from pathlib import Path

from inference_cost.machine_code import compiler

compiled = compiler(Path(__file__).parent)
