"""Two controllers over one fleet: what each of them did in five minutes (or `--calm-minutes`)."""

import pytest

from e2e.karpenter.early import EarlyFleets
from e2e.karpenter.report import write_report

# A step may be answered in steps, overshot, and corrected once: each change of the load costs so many writes and turns.
WRITES_PER_CHANGE = 6
TURNS_PER_CHANGE = 2


@pytest.mark.timeout(2400)
def test_nobody_fights(early: EarlyFleets, pytestconfig: pytest.Config) -> None:
    """In minutes of a load that changes each minute, each NodeClaim bought or given back answers a replica."""
    calm = early.calm
    looks, seen = calm.finish()
    print(seen)
    page = pytestconfig.getoption("--calm-report")
    if page is not None:
        write_report(page, looks, seen)
    assert 0 < seen.replica_writes <= WRITES_PER_CHANGE * calm.changes, seen
    assert seen.turns <= TURNS_PER_CHANGE * calm.changes, seen
    assert seen.claims_created <= seen.ups, seen
    empty_at_first = max(0, len(looks[0].claims) - looks[0].replicas)
    bought_in_vain = 1  # for a pod that was taken away meanwhile
    assert seen.claims_deleted <= seen.downs + empty_at_first + bought_in_vain, (seen, looks[0])
    assert set(seen.reasons) <= {"Empty"}, seen
