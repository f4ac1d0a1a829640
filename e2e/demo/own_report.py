"""What the product says of the demo: `kubectl inference-cost report`, as a person would call it."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from e2e.demo.stage import Stage

COMMAND = Path(sys.executable).with_name("kubectl-inference_cost")
SECONDS = 60.0


def write_own_report(stage: Stage, *, began: float) -> None:
    """report.html and report.json of the time since `began` (epoch seconds), beside the demo's own page.

    Raises:
        RuntimeError: the command failed; its words are the message.
    """
    output = stage.settings.output
    # Of samples that are all stored by now, so that both forms say the same.
    ends = (began, time.time() - 2)
    begin, end = (datetime.fromtimestamp(int(at), UTC).isoformat() for at in ends)
    for form in ("html", "json"):
        done = subprocess.run(
            (
                *(str(COMMAND), "report", "-A", "--since", begin, "--until", end, "-o", form),
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
