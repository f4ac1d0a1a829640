"""Tokens of a pod's service account, bound to the pod and renewed in time."""

import time
from dataclasses import dataclass

from e2e.rig.process_node.kubernetes_api import KubernetesApi, Manifest
from e2e.rig.process_node.volumes import TokenRequest, token_requests

RENEWED_AFTER_FRACTION = 0.8  # of the lifetime, as a kubelet does


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    renew_at: float


class TokenSource:
    """Asks the API server for the tokens that a pod's volumes want."""

    def __init__(self, api: KubernetesApi, pod: Manifest) -> None:
        self._api = api
        self._pod = pod
        self._tokens: dict[TokenRequest, _Token] = {}

    async def current(self) -> dict[TokenRequest, str]:
        """Return every wanted token, new ones for those past 80 % of their lifetime."""
        for request in token_requests(self._pod):
            known = self._tokens.get(request)
            if known is None or time.time() >= known.renew_at:
                self._tokens[request] = await self._request(request)
        return {request: token.text for request, token in self._tokens.items()}

    async def _request(self, request: TokenRequest) -> _Token:
        metadata, spec = self._pod["metadata"], self._pod["spec"]
        account = spec.get("serviceAccountName") or "default"
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        answer = await self._api.create(path, _token_request(metadata, request))
        lifetime = RENEWED_AFTER_FRACTION * request.lifetime_seconds
        return _Token(answer["status"]["token"], time.time() + lifetime)


def _token_request(metadata: Manifest, request: TokenRequest) -> Manifest:
    pod = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
    return {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "audiences": [request.audience] if request.audience else [],
            "expirationSeconds": request.lifetime_seconds,
            "boundObjectRef": pod,
        },
    }
