"""The Dockerfile, read as far as the tests need it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
IMAGE_SCRIPTS = REPOSITORY / "scripts" / "image"


@dataclass(frozen=True, slots=True)
class Instruction:
    word: str
    text: str

    @property
    def command(self) -> list[str]:
        """The JSON form of a RUN or ENTRYPOINT."""
        found = re.search(r"\[.*\]$", self.text)
        assert found, f"{self.word} {self.text} is not in JSON form: a shell would read it"
        words: list[str] = json.loads(found.group())
        return words


def instructions() -> list[Instruction]:
    text = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]
    return [Instruction(*line.split(None, 1)) for line in lines]


def copied() -> list[Path]:
    """What the build takes from the checkout."""
    from_context = [i for i in instructions() if i.word == "COPY" and "--from" not in i.text]
    return [REPOSITORY / name for i in from_context for name in i.text.split()[:-1]]
