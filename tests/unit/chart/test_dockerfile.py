"""What the Dockerfile promises and can be read off it; its scripts are run in tests/integration/chart."""

import os

from tests.unit.chart.dockerfile import IMAGE_SCRIPTS, REPOSITORY, copied, instructions


def test_every_step_is_a_script_that_the_tests_run() -> None:
    steps = [i.command[0].rsplit("/", 1)[-1] for i in instructions() if i.word == "RUN"]
    scripts = sorted(IMAGE_SCRIPTS.glob("*.sh"))
    assert sorted(steps) == [script.name for script in scripts]
    assert all(os.access(script, os.X_OK) for script in scripts)


def test_the_last_stage_is_not_root_and_takes_the_environment_alone() -> None:
    words = instructions()
    last = words[max(n for n, i in enumerate(words) if i.word == "FROM") :]
    (user,) = (i.text for i in last if i.word == "USER")
    assert user == "65532:65532"
    assert [i.text for i in last if i.word == "COPY"] == [
        "--from=build /opt/inference-cost-operator /opt/inference-cost-operator"
    ]


def test_the_entry_point_is_the_operator() -> None:
    (entry,) = (i.command for i in instructions() if i.word == "ENTRYPOINT")
    assert entry == ["python", "-m", "inference_cost.control.main"]


def test_the_base_is_a_tag_that_can_be_pinned_by_argument() -> None:
    words = instructions()
    assert [i.text for i in words if i.word == "FROM"] == [
        "${PYTHON_IMAGE} AS build",
        "${PYTHON_IMAGE}",
    ]
    (argument,) = (i.text for i in words if i.word == "ARG")
    assert argument.startswith("PYTHON_IMAGE=python:3.11-slim")


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    kept = {
        line.removeprefix("!")
        for line in (REPOSITORY / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    names = {str(path.relative_to(REPOSITORY)) for path in copied()}
    assert all(path.exists() for path in copied())
    assert names == kept
