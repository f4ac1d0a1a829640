"""The decorator of this package's compiled functions."""

from pathlib import Path

from inference_cost.machine_code import compiler

compiled = compiler(Path(__file__).parent)
