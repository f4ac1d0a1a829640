"""A scenario's hand on the exporter: blocking, one connection per call."""

from typing import Any

import requests

from e2e.rig.fleet_exporter.loads import Load

TIMEOUT_SECONDS = 10.0


class ExporterError(RuntimeError):
    """The exporter refused a request; the message is its own."""


class ExporterClient:
    """Access to one exporter at host:port."""

    def __init__(self, address: str) -> None:
        self.address = address

    def set_load(self, load: Load) -> None:
        """Set or replace the load of a workload, from now on.

        Raises:
            ExporterError: the load is refused.
        """
        self._request("PUT", "/loads", load)

    def remove_load(self, load: Load) -> None:
        """Stop the load with this namespace and selector.

        Raises:
            ExporterError: there is none.
        """
        self._request("DELETE", "/loads", load)

    def loads(self) -> list[dict[str, Any]]:
        """All loads: namespace, selector, requestsPerSecond now, pods that share it."""
        found: list[dict[str, Any]] = self._request("GET", "/loads").json()
        return found

    def metrics(self, namespace: str, pod: str) -> str:
        """One pod's page.

        Raises:
            ExporterError: the pod's server does not answer.
        """
        return self._request("GET", f"/metrics?namespace={namespace}&pod={pod}").text

    def _request(self, method: str, path: str, load: Load | None = None) -> requests.Response:
        body = load.model_dump_json(by_alias=True, exclude_none=True) if load else None
        with requests.Session() as session:
            session.trust_env = False
            url = f"http://{self.address}{path}"
            answer = session.request(method, url, data=body, timeout=TIMEOUT_SECONDS)
        if not answer.ok:
            raise ExporterError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer
