"""A small Kubernetes client for the rig and for scenarios: plain dictionaries in and out.

Works with any kubeconfig. Blocking and safe to share between threads; asyncio code calls it
through `asyncio.to_thread`.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlencode

import kubernetes.client
import kubernetes.config
import yaml

Manifest = dict[str, Any]
T = TypeVar("T")

FIELD_MANAGER = "inference-cost-rig"
REQUEST_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.1
JSON, APPLY_PATCH, MERGE_PATCH = (
    "application/json",
    "application/apply-patch+yaml",
    "application/merge-patch+json",
)


class KubeError(RuntimeError):
    """The API server refused a request. `status` is the HTTP code, `reason` its machine word."""

    def __init__(self, request: str, status: int, answer: str) -> None:
        body = _json_or_empty(answer)
        self.status = status
        self.reason = str(body.get("reason", ""))
        self.message = str(body.get("message", answer))
        super().__init__(f"{request}: {status} {self.reason}: {self.message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Endpoint:
    """Where the objects of one kind live."""

    prefix: str  # /api/v1 or /apis/<group>/<version>
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str = "") -> str:
        scope = f"/namespaces/{quote(namespace)}" if self.namespaced and namespace else ""
        return f"{self.prefix}{scope}/{self.plural}" + (f"/{quote(name)}" if name else "")


class KubeClient:
    """Access to one cluster with the identity of a kubeconfig."""

    def __init__(
        self, kubeconfig: Path, *, timeout_seconds: float = REQUEST_TIMEOUT_SECONDS
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._client = kubernetes.config.new_client_from_config(
            config_file=str(kubeconfig),
            persist_config=False,
            client_configuration=kubernetes.client.Configuration(
                retries=False,  # who waits for a server asks again by himself
                no_proxy=f"{os.environ.get('NO_PROXY', '')},127.0.0.1,localhost",
            ),
        )
        self._endpoints: dict[tuple[str, str], _Endpoint] = {}
        self._discovery = threading.Lock()

    def apply(self, *manifests: Manifest, namespace: str = "default") -> list[Manifest]:
        """Create or change objects by server-side apply, in the given order.

        `namespace` is for namespaced manifests that name none. Applying a
        CustomResourceDefinition returns when objects of it are accepted.
        """
        return [self._apply(manifest, namespace) for manifest in manifests]

    def apply_files(self, *paths: Path, namespace: str = "default") -> list[Manifest]:
        """`apply` every document of YAML files."""
        return self.apply(*load_manifests(paths), namespace=namespace)

    def create(self, manifest: Manifest, *, namespace: str = "default") -> Manifest:
        """POST one object; `KubeError` 409 when it exists."""
        path, _ = self._locate(manifest, namespace)
        return self.request("POST", path, body=manifest)

    def get(
        self, api_version: str, kind: str, name: str, *, namespace: str = "default"
    ) -> Manifest:
        """Read one object; `KubeError` 404 when there is none."""
        return self.request("GET", self._endpoint(api_version, kind).path(namespace, name))

    def find(
        self, api_version: str, kind: str, name: str, *, namespace: str = "default"
    ) -> Manifest | None:
        """Read one object, None when there is none."""
        try:
            return self.get(api_version, kind, name, namespace=namespace)
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    def list(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> "list[Manifest]":
        """List objects; of all namespaces when none is given."""
        query = {"labelSelector": label_selector, "fieldSelector": field_selector}
        path = self._endpoint(api_version, kind).path(namespace)
        items = self.request("GET", path, query={k: v for k, v in query.items() if v})["items"]
        return [{"apiVersion": api_version, "kind": kind, **item} for item in items]

    def merge(
        self, api_version: str, kind: str, name: str, patch: Manifest, *, namespace: str = "default"
    ) -> Manifest:
        """JSON merge patch."""
        path = self._endpoint(api_version, kind).path(namespace, name)
        return self.request("PATCH", path, body=patch, content_type=MERGE_PATCH)

    def scale(
        self,
        name: str,
        replicas: int,
        *,
        namespace: str = "default",
        api_version: str = "apps/v1",
        kind: str = "Deployment",
    ) -> None:
        """Set replicas through the /scale subresource."""
        path = self._endpoint(api_version, kind).path(namespace, name)
        body = {"spec": {"replicas": replicas}}
        self.request("PATCH", f"{path}/scale", body=body, content_type=MERGE_PATCH)

    def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        *,
        namespace: str = "default",
        grace_period_seconds: int | None = None,
    ) -> None:
        """Delete one object (dependents in the background); nothing happens when it is gone."""
        options: Manifest = {"propagationPolicy": "Background"}
        if grace_period_seconds is not None:
            options["gracePeriodSeconds"] = grace_period_seconds
        path = self._endpoint(api_version, kind).path(namespace, name)
        try:
            self.request("DELETE", path, body=options)
        except KubeError as error:
            if error.status != 404:
                raise

    def service_account_token(
        self, name: str, *, namespace: str = "default", seconds: int = 3600
    ) -> str:
        """Make a bearer token of a ServiceAccount (TokenRequest), valid at least 600 s."""
        path = f"/api/v1/namespaces/{quote(namespace)}/serviceaccounts/{quote(name)}/token"
        body = {"spec": {"expirationSeconds": seconds}}
        return str(self.request("POST", path, body=body)["status"]["token"])

    def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content_type: str = JSON,
        query: Mapping[str, str] | None = None,
    ) -> Manifest:
        """Send any request and decode its JSON answer; see `read` for plain text."""
        return _json_or_empty(
            self.read(method, path, body=body, content_type=content_type, query=query)
        )

    def read(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content_type: str = JSON,
        query: Mapping[str, str] | None = None,
    ) -> str:
        """Send any request and give its answer as text.

        Raises:
            KubeError: status 400 or above.
            urllib3.exceptions.HTTPError: no answer.
        """
        headers = {"Accept": JSON, "Content-Type": content_type}
        self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        url = f"{self._client.configuration.host}{path}"
        response = self._client.rest_client.request(
            method,
            f"{url}?{urlencode(query)}" if query else url,
            headers=headers,
            body=body,
            _request_timeout=self._timeout_seconds,
        )
        text: str = response.read().decode(errors="replace")
        if response.status >= 400:
            raise KubeError(f"{method} {path}", response.status, text)
        return text

    def close(self) -> None:
        self._client.rest_client.pool_manager.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _apply(self, manifest: Manifest, namespace: str) -> Manifest:
        collection, name = self._locate(manifest, namespace)
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        path = f"{collection}/{quote(name)}"
        applied = self.request("PATCH", path, body=manifest, content_type=APPLY_PATCH, query=query)
        if manifest["kind"] == "CustomResourceDefinition":
            self._wait_until_served(name)
        return applied

    def _locate(self, manifest: Manifest, namespace: str) -> tuple[str, str]:
        """Path of the collection of an object, and its name."""
        metadata = manifest["metadata"]
        endpoint = self._endpoint(manifest["apiVersion"], manifest["kind"])
        return endpoint.path(metadata.get("namespace", namespace)), metadata.get("name", "")

    def _endpoint(self, api_version: str, kind: str) -> _Endpoint:
        with self._discovery:
            if (api_version, kind) not in self._endpoints:
                self._discover(api_version)
            try:
                return self._endpoints[api_version, kind]
            except KeyError as error:
                raise LookupError(f"the API server has no {kind} in {api_version}") from error

    def _discover(self, api_version: str) -> None:
        prefix = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        for resource in self.request("GET", prefix)["resources"]:
            if "/" not in resource["name"]:
                self._endpoints[api_version, resource["kind"]] = _Endpoint(
                    prefix=prefix, plural=resource["name"], namespaced=resource["namespaced"]
                )

    def _wait_until_served(self, crd: str) -> None:
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd}"

        def served() -> bool:
            definition = self.request("GET", path)
            return condition(definition, "Established") == "True" and self._listable(definition)

        wait_for(served, timeout_seconds=15, what=f"{crd} to be served")

    def _listable(self, definition: Manifest) -> bool:
        spec = definition["spec"]
        version = next(v["name"] for v in spec["versions"] if v["served"])
        try:
            self.request("GET", f"/apis/{spec['group']}/{version}/{spec['names']['plural']}")
        except KubeError as error:
            if error.status in {404, 429}:  # not known yet, storage being prepared
                return False
            raise
        return True


def wait_for(
    check: Callable[[], T | None], *, timeout_seconds: float, what: str, poll: float = POLL_SECONDS
) -> T:
    """Call `check` until it gives something true, and return that.

    Raises:
        TimeoutError: naming `what`, and the last value.
    """
    deadline = time.monotonic() + timeout_seconds
    while not (value := check()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_seconds:g} s for {what}; last seen: {value!r}")
        time.sleep(poll)
    return value


def load_manifests(paths: Iterable[Path]) -> list[Manifest]:
    """Every document of the YAML files."""
    documents = (doc for path in paths for doc in yaml.safe_load_all(path.read_text()))
    return [document for document in documents if document]


def condition(manifest: Manifest, kind: str) -> str:
    """Status of a condition ("True", "False", "Unknown"), "" when there is none of this type."""
    conditions = manifest.get("status", {}).get("conditions") or []
    return next((str(c["status"]) for c in conditions if c["type"] == kind), "")


def _json_or_empty(text: str) -> Manifest:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
