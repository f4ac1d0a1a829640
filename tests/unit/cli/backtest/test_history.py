"""Arrivals from a Prometheus: what is asked, in how many parts, and what is said about holes."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from inference_cost.cli.backtest.history import History, Period, parse_period, query_of
from inference_cost.cli.backtest.objects import read_objects
from inference_cost.cli.backtest.options import HistoryOptions
from inference_cost.cli.failure import CommandError
from inference_cost.model.policy import Policy
from inference_cost.observe.settings import PrometheusSettings
from tests.unit.cli.backtest.runs import PROFILE, objects_file, policy, run, without_simulator

NOON = 1_769_860_800.0  # 2026-01-31T12:00:00Z
Rate = Callable[[float], float | None]


@contextmanager
def prometheus(rate: Rate, status: int = 200) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Answers range queries with `rate` at each time; yields its URL and what it was asked."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {key: value[0] for key, value in parse_qs(urlsplit(self.path).query).items()}
            asked.append(query | {"authorization": self.headers.get("Authorization", "")})
            body = json.dumps(answer(query, rate)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(query: dict[str, str], rate: Rate) -> dict[str, Any]:
    start, end, step = (float(query[key]) for key in ("start", "end", "step"))
    times = [start + i * step for i in range(int((end - start) / step) + 1)]
    values = [[t, str(rate(t))] for t in times if rate(t) is not None]
    result = [{"metric": {}, "values": values}] if values else []
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def a_policy(folder: Path, text: str = "") -> Policy:
    return read_objects([objects_file(folder, text or policy())], namespace="n").policies[0]


def options(url: str = "", **changes: Any) -> HistoryOptions:
    return HistoryOptions(**({"since": "-1h", "url": url} | changes))


PERIODS: dict[str, tuple[str, str, float, float]] = {
    "a week until now": ("-7d", "now", NOON - 7 * 86_400, NOON - 60),
    "with or without a sign": ("7d", "now", NOON - 7 * 86_400, NOON - 60),
    "hours and minutes ago": ("-36h", "-90m", NOON - 36 * 3600, NOON - 90 * 60),
    "times": ("2026-01-30T00:00:00Z", "2026-01-31T00:00:00+00:00", NOON - 36 * 3600, NOON - 12 * 3600),
    "a time without a zone is UTC": ("2026-01-31T06:00:00", "now", NOON - 6 * 3600, NOON - 60),
    "a day": ("2026-01-31", "now", NOON - 12 * 3600, NOON - 60),
}  # fmt: skip


@pytest.mark.parametrize("sentence", PERIODS)
def test_period(sentence: str) -> None:
    since, until, start, end = PERIODS[sentence]
    found = parse_period(options(since=since, until=until), now=NOON)
    assert (found.start, found.end) == (start, end)


BAD_PERIODS = {
    "words": ("yesterday", "now", 30.0, "--from yesterday: must be now, a time ago such as -7d"),
    "the future": ("-1h", "2027-01-01", 30.0, "--to 2027-01-01 is in the future"),
    "backwards": ("-1h", "-2h", 30.0, "--from -1h must be before --to -2h"),
    "odd steps": ("-1h", "now", 15.0, "must be an even number of seconds"),
}


@pytest.mark.parametrize("sentence", BAD_PERIODS)
def test_no_period(sentence: str) -> None:
    since, until, step, message = BAD_PERIODS[sentence]
    with pytest.raises(CommandError, match=message) as refused:
        parse_period(options(since=since, until=until, step_seconds=step), now=NOON)
    assert refused.value.code == 2


def test_the_query_names_the_pods_of_the_target_and_of_no_other(tmp_path: Path) -> None:
    found = query_of(a_policy(tmp_path), options(), PrometheusSettings())
    pods = '{namespace="team-a", pod=~"resnet-[a-z0-9]+-[a-z0-9]{5}"}'
    assert found == (
        f"sum(rate(nv_inference_request_success{pods}[60s])) + "
        f"(sum(rate(nv_inference_request_failure{pods}[60s])) or vector(0))"
    )


def test_the_query_of_a_stateful_set_with_models_and_matchers(tmp_path: Path) -> None:
    text = policy("res.net").replace("kind: Deployment", "kind: StatefulSet")
    text += "  serving: {models: [a.b]}\n"
    found = query_of(
        a_policy(tmp_path, text), options(), PrometheusSettings(matchers='cluster="c"')
    )
    assert 'pod=~"res\\\\.net-[0-9]+", cluster="c", model=~"a\\\\.b"' in found


def test_counts_are_those_of_their_own_bin(tmp_path: Path) -> None:
    """A rate over a minute that ends at t is the rate at t - 30 s: the middle of its window."""
    with prometheus(lambda t: (t - 30 - NOON) / 100) as (url, asked):
        period = Period(start=NOON, end=NOON + 600)
        traffic, record = History(options(url)).arrivals(a_policy(tmp_path), period)
    middles = [NOON + 30 * i + 15 for i in range(20)]
    assert traffic.width_seconds == 30
    assert traffic.counts.tolist() == pytest.approx([30 * (m - NOON) / 100 for m in middles])
    assert record.origin_seconds == NOON
    assert record.history is not None
    assert record.history.filled_seconds == 0
    assert len(asked) == 1


def test_a_long_time_is_asked_for_in_parts(tmp_path: Path) -> None:
    with prometheus(lambda _: 2.0) as (url, asked):
        period = Period(start=NOON, end=NOON + 14 * 86_400)
        traffic, _ = History(options(url)).arrivals(a_policy(tmp_path), period)
    assert len(asked) == 5
    for one in asked:
        assert (float(one["end"]) - float(one["start"])) / 30 < 11_000
    assert len(traffic.counts) == 14 * 2880
    assert set(traffic.counts.tolist()) == {60.0}


def hole(start: float, end: float) -> Rate:
    return lambda t: None if start <= t - 45 - NOON < end else 1.0


def test_a_gap_is_an_error_that_says_where(tmp_path: Path) -> None:
    with prometheus(hole(90, 180)) as (url, _), pytest.raises(CommandError) as refused:
        History(options(url)).arrivals(a_policy(tmp_path), Period(start=NOON, end=NOON + 600))
    assert str(refused.value) == (
        "team-a/resnet: the history has 1 gap, the longest of 90 s: 2026-01-31T12:01:30Z to "
        "2026-01-31T12:03:00Z; missing is not zero: choose --from and --to without them, or let short ones "
        "be filled on a straight line with --fill-gaps-seconds 90"
    )


def test_a_gap_is_filled_where_that_is_allowed_and_told(tmp_path: Path) -> None:
    with prometheus(hole(90, 180)) as (url, _):
        reader = History(options(url, fill_gaps_seconds=90))
        traffic, record = reader.arrivals(a_policy(tmp_path), Period(start=NOON, end=NOON + 600))
    assert traffic.counts.tolist() == [30.0] * 20
    assert record.history is not None
    assert record.history.filled_seconds == 90


def test_a_value_that_is_no_number_is_a_gap(tmp_path: Path) -> None:
    rate: Rate = lambda t: float("nan") if t == NOON + 105 else 1.0  # noqa: E731
    message = "has 1 gap, the longest of 30 s"
    with prometheus(rate) as (url, _), pytest.raises(CommandError, match=message):
        History(options(url)).arrivals(a_policy(tmp_path), Period(start=NOON, end=NOON + 600))


REFUSALS: dict[str, tuple[Rate, int, str]] = {
    "nothing there": (lambda _: None, 200, "Prometheus has no nv_inference_request_success of the pods of Deploy"),
    "not allowed": (lambda _: 1.0, 403, "Prometheus answered 403"),
    "broken": (lambda _: 1.0, 503, "it answered 503"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", REFUSALS)
def test_refused(sentence: str, tmp_path: Path) -> None:
    rate, status, message = REFUSALS[sentence]
    with prometheus(rate, status) as (url, _), pytest.raises(CommandError, match=message):
        History(options(url)).arrivals(a_policy(tmp_path), Period(start=NOON, end=NOON + 600))


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be asked"):
        History(options("http://127.0.0.1:9")).arrivals(
            a_policy(tmp_path), Period(start=NOON, end=NOON + 600)
        )


def test_as_a_command_with_a_token_from_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    without_simulator(monkeypatch)
    token = tmp_path / "token"
    token.write_text("secret\n")
    with prometheus(lambda _: 3.0) as (url, asked):
        arguments = (
            "-f",
            objects_file(tmp_path),
            "--from",
            "-7d",
            "--to",
            "now",
            "--prometheus-url",
            url,
        )
        more = ("--prometheus-bearer-token-file", str(token), "--profile", PROFILE, "-o", "json")
        assert run(monkeypatch, *arguments, *more) == 0
    printed = capsys.readouterr().out
    assert {one["authorization"] for one in asked} == {"Bearer secret"}
    assert "secret" not in printed
    found = json.loads(printed)
    assert found["inputs"]["arrivals"]["form"] == "history"
    assert found["inputs"]["arrivals"]["history"]["url"] == url
    assert found["traffic"]["meanRate"] == pytest.approx(3)
