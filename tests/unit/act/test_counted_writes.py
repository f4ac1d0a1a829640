"""Every write that is sent is told to whoever counts: once, as done or as failed."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from inference_cost.act.errors import FencedOffError, KubeError
from inference_cost.act.kube_api import KubeApi
from inference_cost.act.resources import POLICY_STATUS
from inference_cost.control.metrics import Metrics
from tests.unit.control.test_metrics import value


class Client:
    """Answers every request with one status, or raises."""

    def __init__(self, answer: int | Exception) -> None:
        self._answer = answer

    async def param_serialize(self, *_: Any, **__: Any) -> tuple[()]:
        return ()

    async def call_api(self, *_: Any) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return SimpleNamespace(status=self._answer, headers={}, read=self._read)

    async def _read(self) -> bytes:
        return json.dumps({"message": "no"}).encode()


def counted(answer: int | Exception, *, fence: float = 60.0) -> tuple[KubeApi, Metrics]:
    metrics = Metrics(version="1.0")
    api = KubeApi(
        Client(answer),
        fence=lambda: fence,
        on_write=metrics.count_write,
        on_failure=metrics.count_write_failure,
    )
    return api, metrics


KIND = str(POLICY_STATUS)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (403, "PermissionDenied"),
        (409, "Conflict"),
        (422, "Rejected"),
        (429, "Throttled"),
        (500, "Unreachable"),
        (OSError("refused"), "Unreachable"),
    ],
)
async def test_a_write_that_fails_is_counted_by_its_reason(
    answer: int | Exception, reason: str
) -> None:
    api, metrics = counted(answer)
    with pytest.raises(KubeError):
        await api.merge_patch(POLICY_STATUS, "team-a", "resnet", {})
    assert value(metrics, "api_write_failures_total", kind=KIND, reason=reason) == 1
    assert value(metrics, "api_writes_total", kind=KIND) is None


async def test_a_write_that_is_done_is_no_failure() -> None:
    api, metrics = counted(200)
    await api.merge_patch(POLICY_STATUS, "team-a", "resnet", {})
    assert value(metrics, "api_writes_total", kind=KIND) == 1
    assert "api_write_failures_total{" not in metrics.exposition().decode()


async def test_what_is_not_sent_is_not_counted() -> None:
    api, metrics = counted(200, fence=0.0)
    with pytest.raises(FencedOffError):
        await api.merge_patch(POLICY_STATUS, "team-a", "resnet", {})
    assert "{kind=" not in metrics.exposition().decode()


async def test_a_read_is_no_write() -> None:
    api, metrics = counted(403)
    with pytest.raises(KubeError):
        await api.get(POLICY_STATUS, "team-a", "resnet")
    assert "{kind=" not in metrics.exposition().decode()
