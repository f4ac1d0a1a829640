"""Since when and until when policies and pools were counted, and of how much of that time not all is known."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from inference_cost.account.calendar import time_text
from inference_cost.account.chargeback import Missed
from inference_cost.model import recorded as names
from inference_cost.model.reading import Missing
from inference_cost.observe.grown import Anew, Counters, CounterStore, Period, Total, read_total

POLICY_LIVES = Counters(
    family=names.POLICY_COUNTED, labels=(*names.POLICY_LABELS, names.UID), suffix=""
)
POOL_LIVES = Counters(family=names.POOL_COUNTED, labels=("pool",), suffix="")
POLICY_UNKNOWN = Counters(family=names.POLICY_UNKNOWN, labels=(*names.POLICY_LABELS, names.REASON))
POOL_UNKNOWN = Counters(family=names.POOL_UNKNOWN, labels=("pool", names.REASON))
LATE_SECONDS = 300.0  # a few looks and scrapes are no gap
SETTLED_SECONDS = 60.0  # by then the last sample of the one before has been scraped
LEAST_UNKNOWN_SECONDS = 60

Policy = tuple[str, str]  # namespace and name


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One policy by its uid, or one pool (no policy). `since` None: before the time; both ends: epoch seconds."""

    policy: Policy
    pool: str
    since: float | None
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """Of all that was counted in a time. `unknown`: seconds, by whom and why."""

    lives: tuple[Life, ...]
    unknown: Mapping[tuple[Policy, str, str], float]

    @property
    def made_anew(self) -> dict[Policy, tuple[float, ...]]:
        """When policies were made again under the same name."""
        found: dict[Policy, list[float]] = defaultdict(list)
        for life in sorted(self.lives, key=_beginning):
            if life.policy[1]:
                found[life.policy].append(_beginning(life))
        later = {policy: tuple(filter(None, times[1:])) for policy, times in found.items()}
        return {policy: times for policy, times in later.items() if times}


def _beginning(life: Life) -> float:
    return life.since or 0.0


async def read_lives(store: CounterStore, *, begin: float, end: float) -> Lives | Missing:
    """Missing where the store does not answer in full."""
    found = await _totals(store, (POLICY_LIVES, POOL_LIVES), [(begin, end)])
    if isinstance(found, Missing):
        return found
    lives = Lives(lives=tuple(life for total in found for life in _lives(total)), unknown={})
    # The times of the one that had the name before hide those of the one that has it now.
    periods = cut([(begin, end)], lives)
    unknown = await _totals(store, (POLICY_UNKNOWN, POOL_UNKNOWN), periods)
    if isinstance(unknown, Missing):
        return unknown
    of_policies, of_pools = unknown
    return replace(
        lives,
        unknown={
            ((namespace, name), "", reason): float(sum(grown))
            for (namespace, name, reason), grown in of_policies.grown(
                anew_in(periods, lives)
            ).items()
        }
        | {
            (("", ""), pool, reason): float(sum(grown))
            for (pool, reason), grown in of_pools.grown().items()
        },
    )


async def _totals(
    store: CounterStore, families: Sequence[Counters], periods: Sequence[Period]
) -> list[Total] | Missing:
    totals: list[Total] = []
    for answer in await asyncio.gather(*(read_total(store, one, periods) for one in families)):
        if isinstance(answer, Missing):
            return answer
        totals.append(answer)
    return totals


def _lives(total: Total) -> Iterator[Life]:
    """Their values are times: the lowest is the first."""
    for key, (highest,) in total.highest.items():
        (lowest,) = total.lowest[key]
        if highest is not None and lowest is not None:
            of_policy = len(key) > 1
            yield Life(
                policy=(key[0], key[1]) if of_policy else ("", ""),
                pool="" if of_policy else key[0],
                since=None if key in total.before else float(lowest),
                until=float(highest),
            )


def cut(periods: Sequence[Period], lives: Lives) -> list[Period]:
    """Also where policies were made anew, once what the one before exported last has been scraped."""
    begin, end = periods[0][0], periods[-1][1]
    times = {time + SETTLED_SECONDS for times in lives.made_anew.values() for time in times}
    inner = {until for _, until in periods[:-1]} | {time for time in times if begin < time < end}
    cuts = [begin, *sorted(inner), end]
    return list(itertools.pairwise(cuts))


def anew_in(periods: Sequence[Period], lives: Lives) -> Anew:
    """Which periods a policy's counts begin at zero with; keys begin with its namespace and name."""
    made = lives.made_anew
    begins = {begin: number for number, (begin, _) in enumerate(periods)}

    def of(key: tuple[str, ...]) -> frozenset[int]:
        times = made.get((key[0], key[1]), ()) if len(key) > 1 else ()
        return frozenset(
            begins[time + SETTLED_SECONDS] for time in times if time + SETTLED_SECONDS in begins
        )

    return of


def missed_of(
    lives: Lives, *, begin: float, end: float, fallen: Iterable[tuple[Policy, str]]
) -> tuple[Missed, ...]:
    """What the amounts lack, in words. `fallen`: policies, or pools, whose total fell."""
    told = (*_ends(lives, begin, end), *_unknown(lives), *_fell(fallen))
    return tuple(
        Missed(namespace=policy[0], policy=policy[1], pool=pool, what=what)
        for policy, pool, what in sorted(told)
    )


def _ends(lives: Lives, begin: float, end: float) -> Iterator[tuple[Policy, str, str]]:
    of_whom: dict[tuple[Policy, str], list[Life]] = defaultdict(list)
    for life in lives.lives:
        of_whom[life.policy, life.pool].append(life)
    for (policy, pool), found in of_whom.items():
        first = min(found, key=_beginning).since
        last = max(life.until for life in found)
        if first is not None and first - begin > LATE_SECONDS:
            yield (
                policy,
                pool,
                (
                    f"nothing is recorded from {time_text(begin)} to {time_text(first)}: it was made then, or the store"
                    " does not reach back"
                ),
            )
        if end - last > LATE_SECONDS:
            yield policy, pool, f"nothing is recorded from {time_text(last)} to {time_text(end)}"
    for policy, times in lives.made_anew.items():
        for time in times:
            yield (
                policy,
                "",
                f"it was made anew at {time_text(time)}: these amounts are of both that had the name",
            )


_WHY = {
    names.AWAY: "the operator was away, and pods or nodes came or went",
    names.UNPRICED: "a price was not known",
}


def _unknown(lives: Lives) -> Iterator[tuple[Policy, str, str]]:
    for (policy, pool, reason), seconds in lives.unknown.items():
        if seconds >= LEAST_UNKNOWN_SECONDS:
            why = _WHY.get(reason, reason)
            yield policy, pool, f"of {seconds / 3600:.2f} h not all is in these amounts: {why}"


def _fell(fallen: Iterable[tuple[Policy, str]]) -> Iterator[tuple[Policy, str, str]]:
    for policy, pool in set(fallen):
        yield (
            policy,
            pool,
            (
                "its total fell, for a leader did not know all that the one before had counted: part of what it cost is"
                " not in these amounts"
            ),
        )
