"""Which workload a pod was of, told by its name alone: of pods of the past nothing else is left."""

import re
from dataclasses import dataclass
from typing import Final

# Of a ReplicaSet's pod: the workload, the hash of its template, a random suffix. Of a StatefulSet's: its ordinal.
TEMPLATED: Final = "(.+)-[a-z0-9]{1,10}-[a-z0-9]{5}"
NUMBERED: Final = "(.+)-[0-9]+"
_NUMBERED_KINDS: Final = frozenset({"StatefulSet"})


@dataclass(frozen=True, slots=True)
class Owner:
    """`numbered`: its pods end in ordinals."""

    name: str
    numbered: bool


def owner_of(kind: str, pod: str) -> Owner | None:
    """None where the name is neither of the two. A suffix of digits could be taken for an ordinal."""
    numbered = kind in _NUMBERED_KINDS
    found = re.fullmatch(NUMBERED if numbered else TEMPLATED, pod)
    return Owner(found[1], numbered) if found else None
