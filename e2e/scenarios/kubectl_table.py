"""Tables as kubectl prints them."""

import re


def columns(table: str) -> dict[str, str]:
    """Cells of the first row of a kubectl table by their headings."""
    heading, row = table.splitlines()[:2]
    found = list(re.finditer(r"\S+", heading))
    starts = [one.start() for one in found]
    ends = [*starts[1:], None]
    return {one.group(): row[a:b].strip() for one, a, b in zip(found, starts, ends, strict=True)}
