"""The reference pages: complete, and up to date in the repository."""

from inference_cost.control.load_settings import setting_names
from inference_cost.control.metrics import Metrics
from inference_cost.control.reference import main, metrics_page, settings_page


def test_the_pages_in_the_repository_are_up_to_date() -> None:
    assert main(["--check"]) == 0


def test_every_setting_is_on_its_page_with_a_meaning() -> None:
    rows = [line.split(" | ") for line in settings_page().splitlines() if line.startswith("| `")]
    assert {row[0].strip("| `") for row in rows} == set(setting_names())
    for row in rows:
        assert len(row) == 4, row
        assert len(row[3]) > 12, row


def test_every_metric_is_on_its_page() -> None:
    page = metrics_page()
    families = {f"`{family.name}" for family in Metrics(version="1").registry.collect()}
    assert all(name in page for name in families)
