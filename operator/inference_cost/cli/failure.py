"""How the command ends."""

from enum import IntEnum


class ExitCode(IntEnum):
    OK = 0
    ERROR = 1
    USAGE = 2
    NOT_FOUND = 3
    SLO_VIOLATED = 4
    INTERRUPTED = 130  # 128 and the number of the signal, as shells count


class CommandError(Exception):
    """Something to tell the user in one or two sentences, instead of a traceback."""

    def __init__(self, message: str, code: ExitCode = ExitCode.ERROR) -> None:
        super().__init__(message)
        self.code = code


def usage(message: str) -> CommandError:
    return CommandError(message, ExitCode.USAGE)
