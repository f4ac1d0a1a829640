"""Keeps one policy that cannot be decided from stopping the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from inference_cost.model.memory import Decisions, Memory
from inference_cost.model.observation import Snapshot
from inference_cost.model.policy import PolicyKey

Decide = Callable[[Snapshot, Memory], Decisions]

FIRST_PAUSE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisoned:
    """A policy whose decision failed `times` in a row, and until when (epoch seconds) it is left out."""

    times: int
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`failed`: policies that failed in this very tick, with the error."""

    decisions: Decisions
    failed: Mapping[PolicyKey, Exception] = field(default_factory=dict)


class IsolatedDecisions:
    """Calls `decide` for all policies; when it raises, finds out for whom, and leaves these out for a while."""

    def __init__(self, decide: Decide) -> None:
        self._decide = decide
        self._poisoned: dict[PolicyKey, Poisoned] = {}

    def __call__(self, snapshot: Snapshot, memory: Memory) -> Outcome:
        left_out = {key for key, p in self._poisoned.items() if snapshot.at < p.until}
        trusted = without(snapshot, left_out)
        try:
            decisions, failed = self._decide(trusted, memory), {}
        except Exception:  # noqa: BLE001  # whatever it is, the other policies must go on
            failed = self._failures(trusted, memory)
            decisions = self._decide(without(trusted, set(failed)), memory)
        self._remember(snapshot, failed)
        return Outcome(decisions=kept(decisions, memory, snapshot), failed=failed)

    def _failures(self, snapshot: Snapshot, memory: Memory) -> dict[PolicyKey, Exception]:
        failed: dict[PolicyKey, Exception] = {}
        for seen in snapshot.observations:
            try:
                self._decide(replace(snapshot, observations=(seen,)), memory)
            except Exception as error:  # noqa: BLE001  # same
                failed[seen.policy.key] = error
        return failed

    def _remember(self, snapshot: Snapshot, failed: Mapping[PolicyKey, Exception]) -> None:
        present = {seen.policy.key for seen in snapshot.observations}
        for key in [k for k, p in self._poisoned.items() if k not in present]:
            del self._poisoned[key]
        for key in failed:
            times = self._poisoned[key].times + 1 if key in self._poisoned else 1
            pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (times - 1))
            self._poisoned[key] = Poisoned(times=times, until=snapshot.at + pause)


def without(snapshot: Snapshot, keys: set[PolicyKey]) -> Snapshot:
    if not keys:
        return snapshot
    rest = tuple(seen for seen in snapshot.observations if seen.policy.key not in keys)
    return replace(snapshot, observations=rest)


def kept(decisions: Decisions, before: Memory, snapshot: Snapshot) -> Decisions:
    """With the memory of policies that exist but were not decided now: refused or left out."""
    existing = {seen.policy.key for seen in snapshot.observations}
    existing |= {refusal.key for refusal in snapshot.refusals}
    missing = {
        key: memory
        for key, memory in before.policies.items()
        if key in existing and key not in decisions.memory.policies
    }
    if not missing:
        return decisions
    policies = {**missing, **decisions.memory.policies}
    return replace(decisions, memory=replace(decisions.memory, policies=policies))
