"""Copies crds/ into the chart as templates, or with --check fails when a copy is out of date.

The copies differ from their source in three things only: the switch `crds.install`, the annotations and labels of
the chart, and braces that Helm would read as its own.
"""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
SOURCE = REPOSITORY / "crds"
COPIES = REPOSITORY / "charts/inference-cost-operator/templates/crds"

OPEN = "{{- if .Values.crds.install }}\n"
CLOSE = "{{- end }}\n"
METADATA = """\
metadata:
  annotations:
    {{- include "inference-cost-operator.crdAnnotations" . | nindent 4 }}
  labels:
    {{- include "inference-cost-operator.labels" . | nindent 4 }}
"""


def template_of(crd: str) -> str:
    """The template for one CustomResourceDefinition, given as text with a bare `metadata:`."""
    before, marker, after = _escaped(crd).partition("\nmetadata:\n")
    if not marker or "\nmetadata:\n  annotations:" in crd or "\n  labels:\n" in crd:
        raise ValueError("expected one `metadata:` with a name and nothing else")
    return f"{OPEN}{before}\n{METADATA}{after}{CLOSE}"


def _escaped(text: str) -> str:
    return text.replace("{{", '{{ "{{" }}')


def wanted_copies() -> dict[Path, str]:
    return {
        COPIES / file.name: template_of(file.read_text()) for file in sorted(SOURCE.glob("*.yaml"))
    }


def out_of_date(wanted: dict[Path, str]) -> list[Path]:
    """Copies that are missing, differ or have no source."""
    wrong = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    return wrong + sorted(set(COPIES.glob("*.yaml")) - set(wanted))


def main(arguments: list[str]) -> int:
    wanted = wanted_copies()
    wrong = out_of_date(wanted)
    if "--check" in arguments:
        for path in wrong:
            print(f"out of date: {path.relative_to(REPOSITORY)}", file=sys.stderr)
        return 1 if wrong else 0
    COPIES.mkdir(parents=True, exist_ok=True)
    for path in wrong:
        if path in wanted:
            path.write_text(wanted[path])
        else:
            path.unlink()
        print(f"wrote {path.relative_to(REPOSITORY)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
