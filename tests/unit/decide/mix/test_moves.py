"""Asked for on the way from where replicas run to where they are to run."""

import pytest

from inference_cost.decide.mix.moves import asked

# Sentence: (wanted, ready, needed) → asked, by domain.
MOVES = {
    "a fleet that is where it is wanted stays": ((4, 0), (4, 0), 4, (4, 0)),
    "the old replicas stay while the new ones start": ((4, 0), (0, 4), 4, (4, 4)),
    "as many go as have been replaced": ((4, 0), (3, 4), 4, (4, 1)),
    "when all serve the old ones go": ((4, 0), (4, 4), 4, (4, 0)),
    "fewer are needed: what is too much goes at once": ((2, 0), (4, 0), 2, (2, 0)),
    "one that only starts stands in for nobody": ((2, 0), (0, 0), 2, (2, 0)),
    "nothing is left to keep after a loss": ((0, 3), (0, 0), 3, (0, 3)),
    "the first domain keeps before the later ones": ((0, 0, 3), (2, 2, 0), 3, (2, 1, 3)),
}


@pytest.mark.parametrize("sentence", MOVES)
def test_made_before_broken(sentence: str) -> None:
    wanted, ready, needed, expected = MOVES[sentence]
    assert asked(wanted, ready, needed) == expected
