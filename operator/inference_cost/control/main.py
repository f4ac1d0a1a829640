"""The operator's entry point: `python -m inference_cost.control.main`.

Exit codes: 0 stopped by a signal, 1 a failure (the Deployment starts it anew), 2 a wrong setting.
"""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence

from inference_cost.control.garbage import collect_seldom
from inference_cost.control.kube_client import NoCredentialsError, find_credentials
from inference_cost.control.load_settings import (
    InvalidSettingsError,
    load_settings,
    unknown_variables,
)
from inference_cost.control.logs import configure_logging
from inference_cost.control.settings import CONFIG_FILE_VARIABLE, Settings, public
from inference_cost.control.supervisor import operate
from inference_cost.control.version import operator_version

log = logging.getLogger("inference_cost.control.main")

EXIT_FAILED = 1
EXIT_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the operator until it is told to stop. Returns the exit code."""
    options = _parser().parse_args(arguments)
    if options.config:
        os.environ[CONFIG_FILE_VARIABLE] = options.config
    try:
        settings = load_settings()
    except InvalidSettingsError as error:
        for problem in error.problems:
            sys.stderr.write(f"invalid setting: {problem}\n")
        return EXIT_USAGE
    configure_logging(settings.log.level)
    collect_seldom()
    return _run(settings)


def _run(settings: Settings) -> int:
    version = operator_version()
    log.info("starting", extra={"version": version, "settings": public(settings)})
    for name in unknown_variables():
        log.warning("unknown_variable", extra={"variable": name})
    kubeconfig = settings.kubernetes.kubeconfig or os.environ.get("KUBECONFIG", "")
    try:
        credentials = find_credentials(kubeconfig, settings.kubernetes.context)
        return asyncio.run(operate(settings, credentials, version=version))
    except NoCredentialsError as error:
        log.critical("no_credentials", extra={"error": str(error)})
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="inference-cost-operator",
        description="Keeps NVIDIA Triton fleets inside their latency objective at the lowest cost.",
        epilog="Settings are read from INFERENCE_COST_<SECTION>__<FIELD> and a file; see docs/settings.md.",
    )
    parser.add_argument("--config", metavar="FILE", help=f"YAML file, as {CONFIG_FILE_VARIABLE}")
    parser.add_argument("--version", action="version", version=operator_version())
    return parser


if __name__ == "__main__":
    sys.exit(main())
