"""Settings: from where, in which order, and what a wrong one says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from inference_cost.control.load_settings import (
    InvalidSettingsError,
    load_settings,
    setting_names,
    unknown_variables,
)
from inference_cost.control.main import EXIT_USAGE, main
from inference_cost.control.settings import Settings, public
from inference_cost.model.observation import DecisionSettings

PREFIX = "INFERENCE_COST_"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in setting_names():
        monkeypatch.delenv(PREFIX + name.replace(".", "__").upper(), raising=False)
    monkeypatch.delenv(f"{PREFIX}CONFIG_FILE", raising=False)


def test_defaults_of_the_decision_are_those_of_the_model() -> None:
    assert load_settings().decision_numbers() == DecisionSettings()


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("loop: {tick_seconds: 30, debounce_seconds: 1}\ncurrency: EUR\n")
    monkeypatch.setenv(f"{PREFIX}CONFIG_FILE", str(file))
    monkeypatch.setenv(f"{PREFIX}LOOP__TICK_SECONDS", "3")
    settings = load_settings()
    assert settings.loop.tick_seconds == 3
    assert settings.loop.debounce_seconds == 1
    assert settings.currency == "EUR"


@dataclass(frozen=True, kw_only=True)
class Wrong:
    environment: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    says: tuple[str, ...]


WRONG = {
    "a number out of bounds": Wrong(
        environment={"LOOP__TICK_SECONDS": "0"},
        says=("loop.tick_seconds", "INFERENCE_COST_LOOP__TICK_SECONDS", "greater than or equal"),
    ),
    "a text where a number is expected": Wrong(
        environment={"HTTP__PORT": "http"}, says=("http.port", "valid integer", "'http'")
    ),
    "a name that is no setting": Wrong(
        environment={"LOOP__TICK_SECOND": "3"},
        says=("loop.tick_second", "not a setting", "did you mean loop.tick_seconds?"),
    ),
    "a section that is no setting": Wrong(
        file="lop: {tick_seconds: 3}", says=("lop", "not a setting")
    ),
    "a deadline that outlasts the lease": Wrong(
        environment={"LEASE__DURATION_SECONDS": "5"},
        says=("lease", "`renew_deadline_seconds` must be less than `duration_seconds`"),
    ),
    "a retry that leaves no second try": Wrong(
        environment={"LEASE__RETRY_SECONDS": "9"},
        says=("lease", "`retry_seconds` must be at most a third"),
    ),
    "numbers that would be refreshed later than they must": Wrong(
        environment={"WRITES__STATUS_AT_LEAST_SECONDS": "10"},
        says=("writes", "`status_at_least_seconds` must be at least"),
    ),
    "a currency that is none": Wrong(environment={"CURRENCY": "dollars"}, says=("currency",)),
    "a URL without a scheme": Wrong(
        environment={"PROMETHEUS__URL": "prometheus:9090"}, says=("prometheus.url",)
    ),
    "a file that is not YAML": Wrong(file="loop: [", says=("CONFIG_FILE", "is not YAML")),
    "a file that is a list": Wrong(file="- loop", says=("CONFIG_FILE", "must be a mapping")),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_setting_is_refused_with_its_name_and_the_fix(
    case: Wrong,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in case.environment.items():
        monkeypatch.setenv(PREFIX + name, value)
    if case.file:
        (tmp_path / "settings.yaml").write_text(case.file)
        monkeypatch.setenv(f"{PREFIX}CONFIG_FILE", str(tmp_path / "settings.yaml"))
    assert main([]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert all(words in said for words in (*case.says, "docs/settings.md")), said
    assert "Traceback" not in said


def test_an_absent_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(f"{PREFIX}CONFIG_FILE", str(tmp_path / "none.yaml"))
    with pytest.raises(InvalidSettingsError, match=r"none\.yaml: cannot be read"):
        load_settings()


def test_a_variable_that_belongs_to_no_section_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}OPERATOR_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv(f"{PREFIX}LOG__LEVEL", "debug")
    assert unknown_variables() == [f"{PREFIX}OPERATOR_SERVICE_HOST"]


def test_what_is_printed_holds_no_secret() -> None:
    settings = Settings.model_validate(
        {
            "prometheus": {
                "url": "http://prometheus:9090",
                "headers": {"Authorization": "Bearer s3cret"},
                "bearer_token_file": "/run/token",
            }
        }
    )
    shown = public(settings)["prometheus"]
    assert "s3cret" not in str(shown)
    assert "/run/token" in shown.values()
    assert shown["url"] == "http://prometheus:9090"
