"""Several Envoy clusters on one page: every family once, with the series of all."""

from collections.abc import Iterable


def merged(pages: Iterable[str]) -> str:
    """Put the series of pages that begin each family with its TYPE line under one such line."""
    families: dict[str, list[str]] = {}
    for page in pages:
        family: list[str] = []
        for line in page.splitlines():
            if line.startswith("# TYPE "):
                family = families.setdefault(line, [])
            else:
                family.append(line)
    return "".join(
        f"{header}\n" + "".join(f"{s}\n" for s in families[header]) for header in families
    )
