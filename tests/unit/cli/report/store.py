"""A Prometheus that knows a fixed set of series and the few functions that a report asks of it, over HTTP."""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from statistics import fmean
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.cli.served import served

QUERY = re.compile(
    r"(?:(?P<how>\w+)_over_time\()?(?P<name>\w+)\{(?P<matchers>.*)\}\[(?P<s>\d+)s\]\)?"
)
FUNCTIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "avg": fmean,
    "sum": sum,
    "count": len,
    "min": min,
    "max": max,
    "last": lambda values: values[-1],
}


@dataclass(slots=True)
class Series:
    labels: Mapping[str, str]
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def within(self, begin: float, end: float) -> tuple[list[float], list[float]]:
        """Samples after `begin`, up to `end`."""
        first, last = bisect_right(self.times, begin), bisect_right(self.times, end)
        return self.times[first:last], self.values[first:last]


class Store:
    def __init__(self) -> None:
        self.series: dict[str, dict[tuple[tuple[str, str], ...], Series]] = {}

    def add(self, at: float, name: str, value: float, **labels: str) -> None:
        full = f"inference_cost_{name}"
        key = tuple(sorted(labels.items()))
        series = self.series.setdefault(full, {}).setdefault(
            key, Series({"__name__": full, **labels})
        )
        assert not series.times or series.times[-1] < at
        series.times.append(at)
        series.values.append(value)

    def gone(self, begin: float, end: float) -> None:
        """Nothing was scraped from then to then."""
        for family in self.series.values():
            for series in family.values():
                first, last = bisect_left(series.times, begin), bisect_left(series.times, end)
                del series.times[first:last], series.values[first:last]

    def at(self, query: str, at: float) -> list[dict[str, Any]]:
        parts = QUERY.fullmatch(query)
        assert parts, query
        found = []
        for series in self.series.get(parts["name"], {}).values():
            times, values = series.within(at - float(parts["s"]), at)
            if not values:
                continue
            if parts["how"] is None:
                samples = [[t, repr(v)] for t, v in zip(times, values, strict=True)]
                found.append({"metric": series.labels, "values": samples})
            else:
                labels = {k: v for k, v in series.labels.items() if k != "__name__"}
                value = FUNCTIONS[parts["how"]](values)
                found.append({"metric": labels, "value": [at, repr(value)]})
        return found

    def over(self, query: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        at = start
        while at <= end + 1e-6:
            for one in self.at(query, at):
                key = json.dumps(one["metric"], sort_keys=True)
                series = found.setdefault(key, {"metric": one["metric"], "values": []})
                series["values"].append(one["value"])
            at += step
        return list(found.values())

    def answer(self, path: str, query: Mapping[str, list[str]]) -> Any:
        text = query["query"][0]
        if text == "time()":
            return [float(query["time"][0]), query["time"][0]]
        if path.endswith("query_range"):
            start, end, step = (float(query[name][0]) for name in ("start", "end", "step"))
            return self.over(text, start, end, step)
        return self.at(text, float(query["time"][0]))


@contextmanager
def serve(store: Store, api: Mapping[str, Any]) -> Iterator[str]:
    """Its URL: the store at /api/v1/query*, and by path what an API server lists; a number is a refusal."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path.startswith("/api/v1/query"):
                result = store.answer(parts.path, parse_qs(parts.query))
                self._send(200, {"status": "success", "data": {"result": result}})
                return
            found = api.get(parts.path, 404)
            if isinstance(found, int):
                self._send(found, {"kind": "Status", "code": found})
            else:
                self._send(200, {"items": found})

        def _send(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with served(Handler) as url:
        yield url
