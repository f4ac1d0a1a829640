"""What the product says of the demo: `kubectl inference-cost report`, as a person would call it."""

import subprocess
import sys
from pathlib import Path

from e2e.demo.stage import Stage

COMMAND = Path(sys.executable).with_name("kubectl-inference_cost")
SECONDS = 60.0


def write_own_report(stage: Stage, *, seconds: int) -> None:
    """report.html and report.json of the last `seconds`, beside the demo's own page.

    Raises:
        RuntimeError: the command failed; its words are the message.
    """
    output = stage.settings.output
    for form in ("html", "json"):
        done = subprocess.run(
            (
                *(str(COMMAND), "report", "-A", "--since", f"-{seconds}s", "-o", form),
                *("--kubeconfig", str(stage.stack.cluster.kubeconfig)),
                *("--prometheus-url", stage.stack.prometheus_url),
                *("--output-file", str(output / f"report.{form}")),
            ),
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        if done.returncode != 0:
            raise RuntimeError(f"kubectl inference-cost report: {done.stderr.strip()}")
