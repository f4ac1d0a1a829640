"""The version of this operator, from its package."""

from importlib.metadata import PackageNotFoundError, version


def operator_version() -> str:
    try:
        return version("inference-cost-operator")
    except PackageNotFoundError:
        return "0.0.0+source"
