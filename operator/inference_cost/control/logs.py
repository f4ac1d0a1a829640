"""Structured logs: one JSON object per line on standard error, an event name and its fields."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.json import JsonFormatter

# Libraries that talk much at INFO about what our own lines already say.
QUIET = ("kopf", "aiohttp.access", "urllib3", "asyncio")


class EventFormatter(JsonFormatter):
    """`event` is the message; fields come from `extra`. Times are UTC."""

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        super().add_fields(log_data, record, message_dict)
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        event = log_data.pop("message", record.getMessage())
        fields = dict(log_data)
        log_data.clear()
        log_data.update(time=at, level=record.levelname.lower(), logger=record.name, event=event)
        log_data.update(fields)


def configure_logging(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EventFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
