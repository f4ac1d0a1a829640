"""Tokens are renewed before they end, and not sooner."""

from typing import Any

import pytest

from e2e.rig.process_node.service_account import TokenSource

POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "n", "uid": "u"},
    "spec": {
        "serviceAccountName": "robot",
        "volumes": [
            {
                "name": "token",
                "projected": {
                    "sources": [
                        {"serviceAccountToken": {"path": "token", "expirationSeconds": 1000}}
                    ]
                },
            }
        ],
    },
}


class RecordingApi:
    """Answers each TokenRequest with a new token."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []

    async def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.requests.append((path, body["spec"]))
        return {"status": {"token": f"token-{len(self.requests)}"}}


async def test_token_is_bound_to_the_pod_and_renewed_at_80_percent_of_its_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("e2e.rig.process_node.service_account.time.time", lambda: now)
    api = RecordingApi()
    source = TokenSource(api, POD)  # type: ignore[arg-type]

    async def token() -> str:
        (text,) = (await source.current()).values()
        return text

    assert await token() == "token-1"
    now = 799.0
    assert await token() == "token-1"
    now = 800.0
    assert await token() == "token-2"

    path, spec = api.requests[0]
    assert path == "/api/v1/namespaces/n/serviceaccounts/robot/token"
    assert spec["boundObjectRef"] == {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
    assert spec["expirationSeconds"] == 1000
