"""Prints how many tests ran, from the JUnit files of the suites; fails when a suite ran none."""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def main(folder: Path) -> int:
    total = 0
    for report in sorted(folder.glob("*.xml")):
        suites = ET.parse(report).getroot().iter("testsuite")  # noqa: S314 - our own file
        counts = [(int(s.get("tests", 0)), int(s.get("skipped", 0))) for s in suites]
        ran, skipped = sum(t for t, _ in counts), sum(s for _, s in counts)
        print(f"{report.stem:12} {ran - skipped:5} tests ran, {skipped} skipped")
        if ran == skipped:
            return 1
        total += ran - skipped
    print(f"{'total':12} {total:5} tests ran")
    return 0 if total else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
