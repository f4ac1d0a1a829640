"""One look at one policy's demand: learn from it, try all headroom rules on it, follow the one with the best record."""

from math import isnan
from typing import Final, NamedTuple

from inference_cost.decide.headroom.choice import choose
from inference_cost.decide.headroom.compiled import compiled
from inference_cost.decide.headroom.learned import Floats, compiled_views
from inference_cost.decide.headroom.regression import Look, learn
from inference_cost.decide.headroom.rules import BASE_OF
from inference_cost.decide.headroom.shadow import (
    Serving,
    advance,
    at_once,
    draining,
    remember_bases,
    to_keep,
)

STARTS_HELD: Final = (
    5  # buckets, a start and two thirds: without a rule an expected demand counts so long
)


class Size(NamedTuple):
    """`now`: replicas to have at once; `keep`: to stay at while there are more; `rule`: number of the rule followed."""

    now: int
    keep: int
    drain: int  # of `now`, whatever the rule: for the backlog alone
    rule: int
    late: float  # requests since the last look, as far as the model tells
    ready_for: float  # requests/s: the demand that the rule provides for
    expected: float  # requests/s at the end of the lead time, without any room
    held: float  # requests/s: the most that was expected lately


@compiled
def size(vector: Floats, look: Look, serving: Serving, allowed: float) -> Size:
    """`allowed`: share of requests that the objective allows to be late. Changes what is learned, `vector`."""
    learned = compiled_views(vector)
    expected = learn(learned, look)
    bases = remember_bases(learned, expected, look)
    late = advance(learned, bases, look, serving)
    if not isnan(look.waiting):
        learned.backlog[-1] = look.waiting
    rule = choose(learned, look, serving, allowed, late)
    drain = draining(look, serving, learned.backlog[-1])
    now = max(at_once(bases, serving, rule), drain)
    keep = max(to_keep(learned, serving, rule), now)
    held = learned.bases[0, :STARTS_HELD].max()
    return Size(now, keep, drain, rule, late, bases[BASE_OF[rule]], bases[0], held)
