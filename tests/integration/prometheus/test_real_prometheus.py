"""The reader against a real Prometheus, directly and through an authenticating proxy."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from aiohttp import web

from e2e.rig.certificates import Certificates
from inference_cost.model.observation import DecisionSettings
from inference_cost.model.reading import Missing, MissingReason, Sample
from inference_cost.model.signals import GatewaySignals, LatencyHistogram, Signals
from inference_cost.observe.history import Past, Scraping, Span, Whose, read_past
from inference_cost.observe.observer import Observer, ObserveSettings
from inference_cost.observe.pod_names import Owner
from inference_cost.observe.prometheus_client import Answer, PrometheusReader
from inference_cost.observe.queries import CLOCK_QUERY, ask_all, build_queries
from inference_cost.observe.settings import GatewaySettings, PrometheusSettings
from tests.integration.prometheus.conftest import PODS, REQUESTS_PER_SECOND, Source
from tests.unit.observe.world import deployment, filled, pod, policy, service

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
WINDOW_SECONDS = 5.0
MOST_QUERIES = 10


@asynccontextmanager
async def reader_of(settings: PrometheusSettings) -> AsyncIterator[PrometheusReader]:
    reader = PrometheusReader(settings)
    try:
        yield reader
    finally:
        reader.close()


@asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server of our own on a free port."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"{'https' if context else 'http'}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def observed(
    settings: PrometheusSettings, *, now: float, copies: int = 0
) -> tuple[object, int]:
    """Signals of the first policy, and the number of queries that a tick took."""
    objects = [policy(), deployment(), service()]
    objects += [pod(name, app="resnet") for name in PODS]
    for i in range(copies):
        objects += [
            policy(f"copy-{i}"),
            deployment(f"copy-{i}"),
            pod(f"copy-{i}-0", app=f"copy-{i}"),
        ]
    async with reader_of(settings) as reader:
        observer = Observer(
            cache=filled(*objects),
            metrics=reader,
            models=None,
            settings=ObserveSettings(prometheus=settings, gateway=GatewaySettings(preset="envoy")),
            decision=DecisionSettings(rate_window_seconds=WINDOW_SECONDS),
        )
        snapshot = await observer.observe(now)
        return snapshot.observations[0].signals, reader.queries


@pytest.fixture
def now() -> float:
    """Our clock, years ahead of the source's: only the source's own time may matter for its samples."""
    return 1_900_000_000.0


async def test_rates_gateway_and_scrape_interval_are_those_of_the_exporter(
    prometheus: Source, now: float
) -> None:
    found, _ = await observed(PrometheusSettings(url=prometheus.url), now=now)
    assert isinstance(found, Signals), found
    assert found.scrape_interval_seconds == pytest.approx(1, abs=0.1)
    assert now - 3 < found.sampled_at <= now + 0.1
    assert {p.pod for p in found.pods} == set(PODS)
    for seen in found.pods:
        [window] = seen.models
        assert window.requests / window.seconds == pytest.approx(REQUESTS_PER_SECOND, rel=0.1)
        assert window.compute_seconds / window.requests == pytest.approx(0.065)
        assert isinstance(window.pending, Sample)
        assert window.pending.value == 3
        assert isinstance(seen.gpu_utilization, Missing)
        assert seen.gpu_utilization.reason is MissingReason.NOT_EXPORTED
    gateway = found.gateway
    assert isinstance(gateway, GatewaySignals)
    assert gateway.requests / gateway.seconds == pytest.approx(110, rel=0.3)
    assert gateway.errors / gateway.requests == pytest.approx(10 / 110, rel=0.05)
    latency = gateway.latency
    assert isinstance(latency, LatencyHistogram)
    within = latency.cumulative[latency.bounds_seconds.index(0.3)]
    assert within / latency.total == pytest.approx(0.9, rel=0.02)


@pytest.mark.parametrize("copies", [0, 99])
async def test_a_tick_asks_at_most_ten_queries_for_one_policy_and_for_a_hundred(
    prometheus: Source, now: float, copies: int
) -> None:
    _, queries = await observed(PrometheusSettings(url=prometheus.url), now=now, copies=copies)
    assert queries <= MOST_QUERIES


async def test_matchers_that_fit_nothing_leave_no_series(prometheus: Source, now: float) -> None:
    settings = PrometheusSettings(url=prometheus.url, matchers='cluster="elsewhere"')
    found, _ = await observed(settings, now=now)
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.EMPTY_RESULT


async def test_a_label_that_is_not_there_is_named(prometheus: Source, now: float) -> None:
    settings = PrometheusSettings(url=prometheus.url, pod_label="kubernetes_pod")
    found, _ = await observed(settings, now=now)
    assert isinstance(found, Missing)
    assert "pod_label" in found.detail
    assert "instance, job, model, namespace, pod" in found.detail


async def test_the_past_is_that_of_the_pods_summed_by_their_workload(prometheus: Source) -> None:
    """Seconds of it; where the exporter was not there yet nothing is known, and its first step may be known in part."""
    settings = PrometheusSettings(url=prometheus.url, matchers='job=~".+"')
    await asyncio.sleep(2 * WINDOW_SECONDS)  # of whole windows
    now = float(int(time.time()))
    scraping = Scraping(interval_seconds=1.0, window_seconds=WINDOW_SECONDS)
    async with reader_of(settings) as reader:
        span = Span(start=now - 3600, end=now, step_seconds=1)
        past = await read_past(reader, settings, scraping, span)
    assert isinstance(past, Past), past
    resnet = Owner("resnet", numbered=False)
    found = past.of(Whose("vision", frozenset({resnet}), frozenset({"sleepy"})))
    assert 5 <= len(found.times) < 600
    both = len(PODS) * REQUESTS_PER_SECOND
    lately = found.per_second[found.times > now - WINDOW_SECONDS]
    assert np.median(lately) == pytest.approx(both, rel=0.05), found.per_second
    assert now - found.times[-1] <= 2
    for other in (
        Whose("audio", frozenset({resnet}), frozenset()),
        Whose("vision", frozenset({Owner("resnet", numbered=True)}), frozenset()),
        Whose("vision", frozenset({resnet}), frozenset({"other"})),
    ):
        assert not len(past.of(other).times)


async def test_a_past_that_cannot_be_read_says_why() -> None:
    async with serving(answering(data={}, status=503)) as url:
        settings = PrometheusSettings(url=url)
        scraping = Scraping(interval_seconds=15.0, window_seconds=60.0)
        async with reader_of(settings) as reader:
            span = Span(start=0.0, end=3600.0, step_seconds=15)
            found = await read_past(reader, settings, scraping, span)
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.SOURCE_UNREACHABLE


async def test_every_query_is_one_that_prometheus_understands(prometheus: Source) -> None:
    settings = PrometheusSettings(url=prometheus.url, matchers='job=~".+"')
    queries = build_queries(
        prometheus=settings,
        gateway=GatewaySettings(preset="envoy", matchers='job="gateway",'),
        window_seconds=7.5,
    )
    async with reader_of(settings) as reader:
        answers = await ask_all(reader, queries, now=0.0, window_seconds=7.5, deadline_seconds=5)
    assert not isinstance(answers, Missing)
    assert {n: type(a) for n, a in answers.answers.items()} == dict.fromkeys(queries, Answer)


async def test_a_query_that_prometheus_refuses_gives_the_code_alone(prometheus: Source) -> None:
    async with reader_of(PrometheusSettings(url=prometheus.url)) as reader:
        found = await reader.query("up{", at=None)
    assert found == Missing(reason=MissingReason.QUERY_FAILED, detail="Prometheus: it answered 400")


# --- through an authenticating proxy, with TLS of a CA of our own ---

TOKEN, TENANT = "s3cret", "team-vision"


def authenticating_proxy(upstream: str, accepted: list[str]) -> Handler:
    async def forward(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {accepted[-1]}":
            return web.Response(status=401, text="who are you, password is hunter2")
        if request.headers.get("X-Scope-OrgID") != TENANT:
            return web.Response(status=403)
        async with (
            aiohttp.ClientSession() as session,
            session.get(upstream + request.path, params=request.query) as answer,
        ):
            body = await answer.read()
            return web.Response(status=answer.status, body=body, content_type="application/json")

    return forward


def tls(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate("apiserver"), certificates.key("apiserver"))
    return context


async def test_token_header_and_ca_lead_through_the_proxy_and_a_rotated_token_is_read_again(
    prometheus: Source, certificates: Certificates, tmp_path: Path, now: float
) -> None:
    accepted = [TOKEN]
    token, tenant = tmp_path / "token", tmp_path / "tenant"
    token.write_text(f"{TOKEN}\n")
    tenant.write_text(TENANT)
    async with serving(authenticating_proxy(prometheus.url, accepted), tls(certificates)) as url:
        settings = PrometheusSettings(
            url=url,
            bearer_token_file=str(token),
            header_files={"X-Scope-OrgID": str(tenant)},
            ca_file=str(certificates.certificate("ca")),
        )
        found, _ = await observed(settings, now=now)
        assert isinstance(found, Signals), found
        async with reader_of(settings) as reader:
            accepted.append("rotated")
            refused = await reader.query(CLOCK_QUERY, at=None)
            assert isinstance(refused, Missing)
            assert refused.reason is MissingReason.UNAUTHORIZED
            assert "401" in refused.detail
            assert "hunter2" not in refused.detail
            token.write_text("rotated")
            assert isinstance(await reader.query(CLOCK_QUERY, at=None), Answer)


async def test_without_the_header_access_is_refused(
    prometheus: Source, tmp_path: Path, now: float
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    async with serving(authenticating_proxy(prometheus.url, [TOKEN])) as url:
        settings = PrometheusSettings(url=url, bearer_token_file=str(token))
        found, queries = await observed(settings, now=now)
        assert isinstance(found, Missing)
        assert (found.reason, queries) == (MissingReason.UNAUTHORIZED, 1)
        fixed = settings.model_copy(update={"headers": {"X-Scope-OrgID": TENANT}})
        assert isinstance((await observed(fixed, now=now))[0], Signals)


async def test_a_certificate_of_an_unknown_ca_is_not_trusted(
    prometheus: Source, certificates: Certificates
) -> None:
    async with serving(authenticating_proxy(prometheus.url, [TOKEN]), tls(certificates)) as url:
        found = await ask(PrometheusSettings(url=url))
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.SOURCE_UNREACHABLE
    assert "prometheus.ca_file" in found.detail


async def test_a_token_file_that_cannot_be_read_is_named_by_its_setting(tmp_path: Path) -> None:
    found = await ask(
        PrometheusSettings(url="http://127.0.0.1:1", bearer_token_file=str(tmp_path / "absent"))
    )
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.UNAUTHORIZED
    assert "bearer_token_file" in found.detail
    assert str(tmp_path) not in found.detail


# --- sources that misbehave ---


async def ask(settings: PrometheusSettings) -> Answer | Missing:
    async with reader_of(settings) as reader:
        return await reader.query(CLOCK_QUERY, at=None)


def answering(**answer: object) -> Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.json_response(**answer)  # type: ignore[arg-type]

    return handle


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def trickle(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(300):
        await response.write(b" ")
        await asyncio.sleep(0.1)
    return response


async def flood(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(64):
        await response.write(b" " * 2**16)
    return response


async def redirect(request: web.Request) -> web.StreamResponse:
    if "redirected" in request.path:
        raise AssertionError("the redirect was followed")
    raise web.HTTPFound("/redirected")


async def page(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>Sign in</html>", content_type="text/html")


VECTOR = {"status": "success", "data": {"resultType": "vector", "result": []}}
ERROR = {"status": "error", "errorType": "execution", "error": "secret-host:9090 is down"}
UNREACHABLE, FAILED = MissingReason.SOURCE_UNREACHABLE, MissingReason.QUERY_FAILED
FAULTS: dict[str, tuple[Handler, MissingReason, str]] = {
    "it hangs": (hang, UNREACHABLE, "no answer within 0.6 s"),
    "it trickles": (trickle, UNREACHABLE, "no answer within 0.6 s"),
    "it floods": (flood, FAILED, "exceeds 1 MiB"),
    "it redirects": (redirect, UNREACHABLE, "redirects (302)"),
    "it is a sign-in page": (page, FAILED, "not that of a Prometheus"),
    "200 with an error": (answering(data=ERROR), FAILED, "an error (execution)"),
    "200 with something else": (answering(data={"a": 1}), FAILED, "not that of a Prometheus"),
    "200 with a list": (answering(data=[]), FAILED, "not that of a Prometheus"),
    "forbidden": (answering(data={}, status=403), MissingReason.UNAUTHORIZED, "403"),
    "not found": (answering(data={}, status=404), FAILED, "404"),
    "unprocessable": (answering(data=ERROR, status=422), FAILED, "422"),
    "too many requests": (answering(data={}, status=429), UNREACHABLE, "429"),
    "unavailable": (answering(data={}, status=503), UNREACHABLE, "503"),
}


@pytest.mark.parametrize(("handler", "reason", "said"), FAULTS.values(), ids=FAULTS)
async def test_fault(handler: Handler, reason: MissingReason, said: str) -> None:
    async with serving(handler) as url:
        started = asyncio.get_running_loop().time()
        found = await ask(
            PrometheusSettings(url=url, query_timeout_seconds=0.6, max_response_mebibytes=1)
        )
        assert asyncio.get_running_loop().time() - started < 2
    assert isinstance(found, Missing)
    assert found.reason is reason
    assert said in found.detail
    assert "secret" not in found.detail


async def test_a_refused_connection_is_told_with_the_setting_to_check(prometheus: Source) -> None:
    assert prometheus
    found = await ask(PrometheusSettings(url="http://127.0.0.1:1"))
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.SOURCE_UNREACHABLE
    assert "prometheus.url" in found.detail


async def test_warnings_make_an_answer_partial() -> None:
    async with serving(answering(data={**VECTOR, "warnings": ["store 2 is down"]})) as url:
        assert await ask(PrometheusSettings(url=url)) == Answer(result=[], partial=True)


async def test_informational_notes_do_not() -> None:
    async with serving(answering(data={**VECTOR, "infos": ["might not be a counter"]})) as url:
        assert await ask(PrometheusSettings(url=url)) == Answer(result=[], partial=False)


async def test_a_source_that_asks_to_wait_is_left_alone_meanwhile() -> None:
    asked = []

    async def busy(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=429, headers={"Retry-After": "30"})

    async with serving(busy) as url, reader_of(PrometheusSettings(url=url)) as reader:
        await reader.query(CLOCK_QUERY, at=None)
        found = await reader.query(CLOCK_QUERY, at=None)
    assert isinstance(found, Missing)
    assert "asked to wait" in found.detail
    assert len(asked) == 1


async def test_one_slow_query_costs_the_deadline_and_not_the_others(prometheus: Source) -> None:
    async def slow_for_gpus(request: web.Request) -> web.StreamResponse:
        if "nv_gpu" in request.query.get("query", ""):
            return await hang(request)
        async with (
            aiohttp.ClientSession() as session,
            session.get(prometheus.url + request.path, params=request.query) as answer,
        ):
            body = await answer.read()
            return web.Response(status=answer.status, body=body, content_type="application/json")

    async with serving(slow_for_gpus) as url:
        settings = PrometheusSettings(url=url, query_timeout_seconds=3, deadline_seconds=1)
        queries = build_queries(
            prometheus=settings, gateway=GatewaySettings(), window_seconds=WINDOW_SECONDS
        )
        async with reader_of(settings) as reader:
            started = asyncio.get_running_loop().time()
            answers = await ask_all(
                reader, queries, now=0, window_seconds=WINDOW_SECONDS, deadline_seconds=1
            )
            assert asyncio.get_running_loop().time() - started < 1.5
    assert not isinstance(answers, Missing)
    late = answers.get("gpu")
    assert isinstance(late, Missing)
    assert late.reason is MissingReason.SOURCE_UNREACHABLE
    assert isinstance(answers.get("requests"), Answer)


async def test_proxies_of_the_environment_are_not_used(
    prometheus: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert isinstance(await ask(PrometheusSettings(url=prometheus.url)), Answer)
