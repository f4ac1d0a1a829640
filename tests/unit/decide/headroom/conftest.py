"""Here the functions run as plain Python, so that coverage sees them; `test_sizing.py` compares with compiled ones."""

import importlib

import pytest

MODULES = [
    importlib.import_module(f"inference_cost.decide.headroom.{name}")
    for name in (
        "rules",
        "learned",
        "lateness",
        "regression",
        "shadow",
        "choice",
        "sizing",
        "history",
    )
]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in MODULES:
        for name, value in vars(module).copy().items():
            if hasattr(value, "py_func"):
                monkeypatch.setattr(module, name, value.py_func)
