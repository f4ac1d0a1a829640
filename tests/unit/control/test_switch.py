"""The global switch: read again while the process runs; a broken file changes nothing."""

from pathlib import Path

import pytest

from inference_cost.control.switch import EnforceSwitch

VARIABLE = "INFERENCE_COST_CONFIG_FILE"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text("enforce: {enabled: true}\n")
    monkeypatch.setenv(VARIABLE, str(path))
    monkeypatch.delenv("INFERENCE_COST_ENFORCE__ENABLED", raising=False)
    return path


def replace_by_link(path: Path, content: str) -> None:
    """As the kubelet replaces a ConfigMap: by a link to a new file."""
    target = path.with_name(f"{path.name}.{len(content)}")
    target.write_text(content)
    path.unlink()
    path.symlink_to(target)


def test_a_changed_file_turns_it_off_and_on_again(file: Path) -> None:
    switch = EnforceSwitch(enabled=True, file=file)
    assert switch.read()
    replace_by_link(file, "enforce: {enabled: false}\n")
    assert not switch.read()
    replace_by_link(file, "enforce: {enabled: true}\n# again\n")
    assert switch.read()


@pytest.mark.parametrize("content", ["enforce: [", "enforce: {enabled: maybe}\n", "enforced: {}\n"])
def test_a_broken_file_changes_nothing(file: Path, content: str) -> None:
    switch = EnforceSwitch(enabled=True, file=file)
    replace_by_link(file, content)
    assert switch.read()


def test_a_file_that_vanished_changes_nothing(file: Path) -> None:
    switch = EnforceSwitch(enabled=False, file=file)
    file.unlink()
    assert not switch.read()


def test_the_environment_wins_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERENCE_COST_ENFORCE__ENABLED", "false")
    switch = EnforceSwitch(enabled=False, file=file)
    replace_by_link(file, "enforce: {enabled: true}\n# more\n")
    assert not switch.read()


def test_without_a_file_it_stays_as_it_was() -> None:
    assert EnforceSwitch(enabled=True, file=None).read()
