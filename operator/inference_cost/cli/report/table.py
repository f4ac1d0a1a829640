"""Cards of the page, and tables: columns where there is room, cards where there is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

Cell = str  # HTML
NUMBERS = frozenset(
    {
        *("cost", "amount", "saved", "saved per month", "baseline", "net", "present value", "ROI"),
        *("payback", "in time", "baseline in time", "hours", "times", "replicas", "per month"),
        *("per hour now", "per 1,000 requests", "not requested", "nodes now", "per node hour"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`heads` are plain text, cells are HTML. On a narrow screen each row is a card of its own."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def render(self) -> str:
        if not self.rows:
            return ""
        heads = "".join(
            f'<th scope="col"{_class(head)}>{escape(capitalized(head))}</th>' for head in self.heads
        )
        body = "".join(f"<tr>{self._cells(row)}</tr>" for row in self.rows)
        return f'<table class="stack"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'

    def _cells(self, row: Sequence[Cell]) -> str:
        return "".join(
            f"<td{_class(head)}{_label(i, head)}>{cell}</td>"
            for i, (head, cell) in enumerate(zip(self.heads, row, strict=True))
        )


def card(title: str, note: str, content: str) -> str:
    told = f"<p>{escape(note)}</p>" if note else ""
    return f'<section class="card"><h2>{escape(title)}</h2>{told}{content}</section>'


def capitalized(words: str) -> str:
    return words[:1].upper() + words[1:]


def _class(head: str) -> str:
    return ' class="n"' if head in NUMBERS else ""


def _label(index: int, head: str) -> str:
    """The first cell of a row is its title."""
    return f' data-head="{escape(capitalized(head), quote=True)}"' if index else ""
