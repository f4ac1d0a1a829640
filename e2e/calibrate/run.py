"""One run: a real Triton in one configuration under one Poisson load, recorded with what it ran on."""

import os
import platform
import shlex
from dataclasses import dataclass
from pathlib import Path

from e2e.calibrate import load, recording, triton
from e2e.calibrate.recording import Recording
from e2e.rig.models.sleepy import SleepyModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    model: SleepyModel
    rate: float  # requests per second
    seconds: float
    seed: int = 1

    @property
    def name(self) -> str:
        """Unique per configuration: a repeated run replaces the file of the one before."""
        model = self.model
        parts = [
            f"a{model.alpha_milliseconds:g}",
            f"c{model.beta_milliseconds:g}",
            f"B{model.max_batch_size}",
            f"i{model.instances}",
            f"d{model.queue_delay_microseconds}us",
            f"p{model.preferred_batch_size}" if model.preferred_batch_size else "",
            f"q{model.max_queue_size}" if model.max_queue_size else "",
            f"{self.rate:g}rps",
            f"seed{self.seed}",
        ]
        return "_".join(filter(None, parts))

    @property
    def arguments(self) -> list[str]:
        """Of the command that repeats it."""
        model = self.model
        return [
            f"--alpha-milliseconds={model.alpha_milliseconds:g}",
            f"--beta-milliseconds={model.beta_milliseconds:g}",
            f"--max-batch={model.max_batch_size}",
            f"--instances={model.instances}",
            f"--queue-delay-microseconds={model.queue_delay_microseconds}",
            f"--preferred={model.preferred_batch_size}",
            f"--max-queue-size={model.max_queue_size}",
            f"--rate={self.rate:g}",
            f"--seconds={self.seconds:g}",
            f"--seed={self.seed}",
        ]


class CalibrationError(RuntimeError):
    """The run says nothing about batching; the message says why."""


async def record(run: Run, *, work: Path, out: Path) -> tuple[Recording, float]:
    """Record a run into a folder; the recording, and how many ms late requests were sent (99th percentile).

    Raises:
        CalibrationError: requests failed, or the server counted others than were sent.
    """
    async with triton.running(work, run.model) as server:
        version = await server.version()
        before = await server.statistics_after(await load.warm_up(server))
        answers = await load.send(server, load.poisson(run.rate, run.seconds, run.seed))
        after = await server.statistics_after(before.requests + answers.sent.size)
    counted = after.since(before)
    if answers.errors or counted.requests != answers.sent.size:
        raise CalibrationError(
            f"{answers.errors} requests failed, {answers.sent.size} were answered, "
            f"the server counted {counted.requests}"
        )
    row = _index_row(run, answers, counted, version)
    recorded = recording.write(out, row, sent=answers.sent, latency_ms=answers.latency_ms)
    return recorded, answers.behind_ms


def _index_row(
    run: Run, answers: load.Answers, counted: triton.Statistics, version: str
) -> dict[str, str]:
    model = run.model
    fixed, per_item = counted.batch_stats.line()
    return {
        "file": f"{run.name}{recording.SUFFIX}",
        "rate_rps": f"{run.rate:g}",
        "seconds": f"{run.seconds:g}",
        "requests": str(answers.sent.size),
        "errors": str(answers.errors),
        "max_batch": str(model.max_batch_size),
        "queue_delay_us": str(model.queue_delay_microseconds),
        "preferred": str(model.preferred_batch_size or ""),
        "instances": str(model.instances),
        "max_queue_size": str(model.max_queue_size or ""),
        "nominal_alpha_ms": f"{model.alpha_milliseconds:g}",
        "nominal_beta_ms": f"{model.beta_milliseconds:g}",
        "fitted_a_ms": f"{fixed:.3f}",
        "fitted_c_ms": f"{per_item:.4f}",
        "queue_ms_mean": f"{counted.queue_ms:.3f}",
        "batch_stats": str(counted.batch_stats),
        "behind_ms_p99": f"{answers.behind_ms:.2f}",
        "cpu": cpu_model(),
        "cores": str(os.cpu_count()),
        "triton": version,
        "command": shlex.join(["python", "-m", "e2e.calibrate", *run.arguments]),
    }


def cpu_model() -> str:
    """The processor's name, its architecture where the kernel does not tell."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
