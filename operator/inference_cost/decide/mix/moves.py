"""From where replicas run to where they are to run: made before broken."""

from collections.abc import Sequence


def asked(wanted: Sequence[int], ready: Sequence[int], needed: int) -> tuple[int, ...]:
    """Replicas to ask each domain for now.

    What is wanted, and of ready ones that are to go as many as stand in for others that do not serve yet. `ready`
    leaves out what is about to be lost. The first domains keep theirs before the later ones.
    """
    asking = list(wanted)
    serving = sum(map(min, wanted, ready))
    for i, (want, have) in enumerate(zip(wanted, ready, strict=True)):
        stay = min(max(have - want, 0), max(needed - serving, 0))
        asking[i] += stay
        serving += stay
    return tuple(asking)
