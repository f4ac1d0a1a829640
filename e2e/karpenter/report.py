"""The page about a long watch: what was counted, and the course of it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from e2e.karpenter.calm import HIGH_PER_SECOND, LOW_PER_SECOND, PHASE_SECONDS
from e2e.karpenter.watch import Look, Summary, course

_HEAD = """\
# Karpenter and the operator over one fleet, watched

Written by `make e2e-long`; what it means is in [karpenter.md](karpenter.md#nobody-fights).
"""


def write_report(page: Path, looks: Sequence[Look], seen: Summary) -> None:
    page.write_text(f"{_HEAD}\n{_table(_counted(seen))}\n\n{_course(looks)}\n", encoding="utf-8")


def _counted(seen: Summary) -> Mapping[str, str]:
    reasons = ", ".join(f"{why} {n}" for why, n in sorted(seen.reasons.items()))
    shortest = seen.shortest_life_seconds
    return {
        "minutes watched": f"{seen.seconds / 60:.0f}",
        "load": f"{LOW_PER_SECOND:g} and {HIGH_PER_SECOND:g} requests/s in turn, {PHASE_SECONDS:g} s each",
        "writes to `/scale`": str(seen.replica_writes),
        "replicas added": str(seen.ups),
        "replicas taken away": str(seen.downs),
        "turns from up to down or back": str(seen.turns),
        "NodeClaims created": str(seen.claims_created),
        "NodeClaims deleted": str(seen.claims_deleted),
        "reasons of Karpenter": reasons or "none",
        "shortest life of a NodeClaim": "none ended" if shortest is None else f"{shortest:.0f} s",
    }


def _table(rows: Mapping[str, str]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows.items())])


def _course(looks: Sequence[Look]) -> str:
    return "\n".join(["```csv", *_lines(looks), "```"])


def _lines(looks: Sequence[Look]) -> Iterator[str]:
    for row in course(looks):
        yield ",".join(map(str, row))
