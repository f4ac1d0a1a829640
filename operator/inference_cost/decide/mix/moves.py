"""From where replicas run to where they are to run: made before broken."""

from collections.abc import Sequence


def asked(
    wanted: Sequence[int], ready: Sequence[int], alive: Sequence[int], needed: int
) -> tuple[int, ...]:
    """Replicas to ask each domain for now.

    What is wanted, and of ready ones that are to go as many as stand in for others that do not serve yet. `ready` and
    `alive` (those that start too) leave out what is about to be lost. Domains are in the order in which they are kept.
    """
    asking = list(wanted)
    serving = sum(map(min, wanted, ready))
    for i, (want, have, there) in enumerate(zip(wanted, ready, alive, strict=True)):
        spare = min(have, there) - min(want, have)
        stay = max(min(spare, needed - serving), 0)
        if stay:
            asking[i] = max(want, min(want, have) + stay)
            serving += stay
    return tuple(asking)
