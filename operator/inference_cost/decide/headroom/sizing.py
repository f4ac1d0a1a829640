"""One look at one policy's demand: learn from it, try all headroom rules on it, follow the one with the best record."""

from typing import NamedTuple

from inference_cost.decide.headroom.choice import choose
from inference_cost.decide.headroom.compiled import compiled
from inference_cost.decide.headroom.learned import Learned
from inference_cost.decide.headroom.regression import Look, learn
from inference_cost.decide.headroom.shadow import (
    Serving,
    advance,
    at_once,
    draining,
    remember_bases,
    to_keep,
)


class Size(NamedTuple):
    """`now`: replicas to have at once; `keep`: to stay at while there are more; `rule`: number of the rule followed."""

    now: int
    keep: int
    rule: int
    late: float  # requests since the last look, as far as the model tells


@compiled
def size(learned: Learned, look: Look, serving: Serving, allowed: float) -> Size:
    """`allowed`: share of requests that the objective allows to be late. Changes what is learned."""
    expected = learn(learned, look)
    bases = remember_bases(learned, expected, look)
    late = advance(learned, bases, look, serving)
    rule = choose(learned, look, serving, allowed, late)
    drain = draining(look, serving, learned.backlog[-1])
    now = max(at_once(bases, serving, rule), drain)
    return Size(now, max(to_keep(learned, serving, rule), now), rule, late)
