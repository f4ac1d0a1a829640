"""A past watched look by look, as it would have been watched live: all is learned but which rule to follow."""

from math import isnan, nan

from inference_cost.decide.headroom.compiled import compiled_beside
from inference_cost.decide.headroom.learned import Floats, Learned
from inference_cost.decide.headroom.regression import Look, learn
from inference_cost.decide.headroom.shadow import Serving, advance, remember_bases


@compiled_beside
def relive(learned: Learned, usual: Look, serving: Serving, past: Floats) -> None:
    """`past`: (looks, 4) time, seconds since the look before, requests/s of the window and since the look before.

    `usual` is like each of these looks but for these numbers. After a gap the seconds are NaN: what was expected counts
    for nothing, and the look stands for one tick. How late the own fleet was is not known of the past: it was in time.
    """
    for i in range(len(past)):
        at, seconds, rate, latest = past[i, 0], past[i, 1], past[i, 2], past[i, 3]
        if isnan(seconds):
            learned.expected[:] = nan
            seconds = usual.tick
        look = Look(
            at,
            usual.tick,
            seconds,
            rate,
            latest,
            usual.window,
            usual.start_up,
            usual.lead,
            0.0,
        )
        expected = learn(learned, look)
        bases = remember_bases(learned, expected, look)
        advance(learned, bases, look, serving)
        learned.backlog[-1] = 0.0
