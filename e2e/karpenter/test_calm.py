"""Two controllers over one fleet: what each of them did in five minutes (or `--calm-minutes`)."""

import pytest

from e2e.karpenter.calm import PHASES, CalmWatch

# What a change of the load may cost in writes: up to the new need, and a correction when its figure is known better.
WRITES_PER_CHANGE = 4


@pytest.mark.timeout(2400)
def test_nobody_fights(calm: CalmWatch) -> None:
    """Over minutes of a load that changes four times, each NodeClaim bought or given back answers a replica."""
    _, seen = calm.finish()
    print(seen)
    changes = len(PHASES) - 1
    assert 0 < seen.replica_writes <= WRITES_PER_CHANGE * changes, seen
    assert seen.turns <= changes, seen
    assert seen.claims_created <= seen.ups, seen
    assert seen.claims_deleted <= seen.downs, seen
