"""The reference page of the command names every command, option and exit code."""

import re
from pathlib import Path

import typer

from inference_cost.cli.failure import ExitCode
from inference_cost.cli.main import app

PAGE = Path("docs/reference/cli.md").read_text()


def test_every_command_and_option() -> None:
    group = typer.main.get_command(app)
    commands = group.commands  # type: ignore[attr-defined]
    assert set(re.findall(r"`kubectl inference-cost (\w+)", PAGE)) == set(commands)
    options = {
        option
        for command in commands.values()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("-")
    }
    assert [option for option in options if f"`{option}`" not in PAGE] == []


def test_every_exit_code() -> None:
    assert [code for code in ExitCode if f"\n| {code.value} | " not in PAGE] == []
