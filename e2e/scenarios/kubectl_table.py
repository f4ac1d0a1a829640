"""Tables as kubectl prints them."""


def columns(table: str) -> dict[str, str]:
    """Cells of the first row of a kubectl table by their headings."""
    heading, row = table.splitlines()[:2]
    names = heading.split()
    starts = [heading.index(name) for name in names]
    ends = [*starts[1:], None]
    return {n: row[a:b].strip() for n, a, b in zip(names, starts, ends, strict=True)}
