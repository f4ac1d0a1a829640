"""Comparisons of many policies: over the cores of this machine, or by policy over a Dask cluster."""

import multiprocessing
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any

from inference_cost.cli.backtest.progress import Report, plainly
from inference_cost.cli.failure import CommandError
from inference_cost.simulate.backtest import (
    DECISION_SECONDS,
    MOST_ESTIMATED,
    TELL_SECONDS,
    compare,
)
from inference_cost.simulate.outcome import Comparison
from inference_cost.simulate.scenario import Scenario

CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What every policy is compared with."""

    against: tuple[str, ...]
    tuned: bool
    bound: bool


@dataclass(frozen=True, slots=True)
class _Task:
    """One policy's comparison, in a process of its own here or elsewhere."""

    number: int
    scenario: Scenario
    question: Question
    jobs: int = 1


def _run(task: _Task, progress: Report | None = None) -> tuple[int, Comparison]:
    question = task.question
    comparison = compare(
        task.scenario,
        against=question.against,
        tuned=question.tuned,
        bound=question.bound,
        jobs=task.jobs,
        progress=progress,
    )
    return task.number, comparison


def compare_one(scenario: Scenario, question: Question, *, jobs: int, report: Report) -> Comparison:
    """One policy with all cores.

    Raises:
        CommandError: it cannot be run; says what to change.
    """
    try:
        return compare(
            scenario,
            against=question.against,
            tuned=question.tuned,
            bound=question.bound,
            jobs=jobs,
            progress=plainly(report),
        )
    except ValueError as error:
        raise CommandError(str(error)) from None
    except BrokenProcessPool:
        raise _broken() from None


def compare_fleet(
    scenarios: Sequence[Scenario], question: Question, *, jobs: int, scheduler: str, report: Report
) -> list[Comparison]:
    """All policies, in their order. With `scheduler` on the Dask cluster there, else in `jobs` processes.

    Raises:
        CommandError: a policy cannot be run, or the cluster cannot be used.
    """
    report = _forward(report)
    tasks = [_Task(i, scenario, question) for i, scenario in enumerate(scenarios)]
    run = _on_dask(tasks, scheduler) if scheduler else _in_processes(tasks, jobs, report)
    found: dict[int, Comparison] = {}
    for number, comparison in run:
        found[number] = comparison
        report(len(found) / len(tasks), scenarios[number].policy.key.name)
    return [found[number] for number in range(len(tasks))]


def _in_processes(
    tasks: Sequence[_Task], jobs: int, report: Report
) -> Iterator[tuple[int, Comparison]]:
    workers = min(jobs, len(tasks))
    if workers <= 1:
        for task in tasks:
            with _named(task):
                result = _run(task, _part_of(report, task, len(tasks)))
            yield result
        return
    context = multiprocessing.get_context("spawn")  # this process may hold threads
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupts) as pool:
        begin = time.perf_counter()
        with _interrupts_held():
            running = {pool.submit(_run, task): task for task in tasks}
        try:
            while running:
                ended, _ = wait(running, timeout=TELL_SECONDS, return_when=FIRST_COMPLETED)
                for future in ended:
                    with _named(running.pop(future)):
                        result = future.result()
                    yield result
                if not ended:
                    share = _estimate(tasks, workers, time.perf_counter() - begin)
                    report(share, f"{len(running)} policies to go")
        except BaseException:
            _end_children()
            pool.shutdown(cancel_futures=True)  # its thread must be gone before the interpreter is
            raise


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes that start meanwhile hear no Ctrl-C while they import either; this one hears it afterwards."""
    resource_tracker.ensure_running()  # its start would let interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _estimate(tasks: Sequence[_Task], workers: int, seconds: float) -> float:
    """Share that the processes have probably done by now."""
    ticks = sum(task.scenario.traffic.seconds / task.scenario.tick_seconds for task in tasks)
    return min(seconds * workers / (ticks * DECISION_SECONDS), MOST_ESTIMATED)


def _forward(report: Report) -> Report:
    """The same, but never back: an estimate may be ahead of what has ended."""
    farthest = 0.0

    def told(share: float, what: str) -> None:
        nonlocal farthest
        farthest = max(farthest, share)
        report(farthest, what)

    return told


def _part_of(report: Report, task: _Task, tasks: int) -> Report:
    """Progress of one policy as progress of the fleet."""
    name = task.scenario.policy.key.name
    return lambda share, _: report((task.number + share) / tasks, name)


def _ignore_interrupts() -> None:
    """Ctrl-C goes to the whole group; the parent alone answers it and ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_children() -> None:
    for child in multiprocessing.active_children():
        child.terminate()


def _on_dask(tasks: Sequence[_Task], scheduler: str) -> Iterator[tuple[int, Comparison]]:
    try:
        from distributed import Client  # noqa: PLC0415 - an optional extra
        from distributed import as_completed as dask_completed  # noqa: PLC0415
    except ImportError:
        raise CommandError(
            "--scheduler needs Dask: install inference-cost-operator[backtest,dask], here and on the "
            "workers"
        ) from None
    with _client(Client, scheduler) as client:
        futures = client.map(_run, tasks, pure=False)
        numbers = {future.key: task for future, task in zip(futures, tasks, strict=True)}
        try:
            for future in dask_completed(futures):
                with _named(numbers[future.key]):
                    result = future.result()
                yield result
        except BaseException:
            client.cancel(futures)
            raise


@contextmanager
def _client(kind: Any, scheduler: str) -> Iterator[Any]:
    try:
        client = kind(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        raise CommandError(f"--scheduler {scheduler}: cannot be reached: {error}") from None
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _named(task: _Task) -> Iterator[None]:
    """What stops one policy is told with its name."""
    try:
        yield
    except ValueError as error:
        raise CommandError(f"policy {task.scenario.policy.key}: {error}") from None
    except (BrokenProcessPool, MemoryError):
        raise _broken() from None


def _broken() -> CommandError:
    return CommandError(
        "a process of the backtest ended unexpectedly, perhaps for lack of memory; try fewer --jobs"
    )
