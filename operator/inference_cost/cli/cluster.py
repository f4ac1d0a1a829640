"""Policies, pools and nodes as read from the API server of the user's kubeconfig. Reads only."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from inference_cost.api.checkpoint import InferenceCostCheckpoint
from inference_cost.api.group import CAPACITY_POOL, CHECKPOINT, GROUP, POLICY, VERSION
from inference_cost.api.parse import InvalidObjectError, parse_checkpoint
from inference_cost.cli.failure import CommandError, ExitCode

T = TypeVar("T")

TIMEOUT_SECONDS = 10.0
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404


@dataclass(frozen=True, slots=True)
class Cluster:
    """An API server and the namespace that the kubeconfig's context names."""

    api: Any  # kubernetes.client.CustomObjectsApi
    core: Any  # kubernetes.client.CoreV1Api
    namespace: str

    def policy(self, name: str, namespace: str | None) -> dict[str, Any]:
        """One InferenceCostPolicy.

        Raises:
            CommandError: not found, not allowed, not reachable, or the CRD is not installed.
        """
        where = namespace or self.namespace
        found: dict[str, Any] = self._call(
            lambda: self.api.get_namespaced_custom_object(
                GROUP, VERSION, where, POLICY.plural, name, _request_timeout=TIMEOUT_SECONDS
            ),
            missing=f"no {POLICY.kind} {name!r} in namespace {where!r}; "
            f"`kubectl get {POLICY.short_names[0]} -A` lists all",
        )
        return found

    def policies(self, namespace: str | None, *, everywhere: bool) -> list[dict[str, Any]]:
        """All policies of a namespace, or of the cluster."""
        where = namespace or self.namespace
        listed = self._call(
            lambda: (
                self.api.list_cluster_custom_object(
                    GROUP, VERSION, POLICY.plural, _request_timeout=TIMEOUT_SECONDS
                )
                if everywhere
                else self.api.list_namespaced_custom_object(
                    GROUP, VERSION, where, POLICY.plural, _request_timeout=TIMEOUT_SECONDS
                )
            ),
            missing=_NOT_INSTALLED,
        )
        items: list[dict[str, Any]] = listed["items"]
        return items

    def nodes(self) -> list[dict[str, Any]]:
        """All nodes.

        Raises:
            CommandError: not allowed or not reachable.
        """
        answer = self._call(
            lambda: self.core.list_node(_preload_content=False, _request_timeout=TIMEOUT_SECONDS),
            missing="the API server knows no nodes",
            kind="nodes",
        )
        items: list[dict[str, Any]] = json.loads(answer.data)["items"]
        return items

    def pods(self) -> list[dict[str, Any]]:
        """All pods.

        Raises:
            CommandError: not allowed or not reachable.
        """
        answer = self._call(
            lambda: self.core.list_pod_for_all_namespaces(
                _preload_content=False, _request_timeout=TIMEOUT_SECONDS
            ),
            missing="the API server knows no pods",
            kind="pods",
        )
        items: list[dict[str, Any]] = json.loads(answer.data)["items"]
        return items

    def workloads(self, plural: str) -> list[dict[str, Any]]:
        """All `deployments` or `statefulsets`.

        Raises:
            CommandError: not allowed or not reachable.
        """
        listed = self._call(
            lambda: self.api.list_cluster_custom_object(
                "apps", "v1", plural, _request_timeout=TIMEOUT_SECONDS
            ),
            missing=f"the API server knows no {plural}",
            kind=f"{plural}.apps",
        )
        items: list[dict[str, Any]] = listed["items"]
        return items

    def workload(self, kind: str, name: str, namespace: str | None) -> dict[str, Any]:
        """One Deployment or StatefulSet.

        Raises:
            CommandError: not found, not allowed or not reachable.
        """
        from kubernetes.client import AppsV1Api  # noqa: PLC0415 - slow to import

        where, apps = namespace or self.namespace, AppsV1Api(self.api.api_client)
        read = {
            "Deployment": apps.read_namespaced_deployment,
            "StatefulSet": apps.read_namespaced_stateful_set,
        }[kind]
        answer = self._call(
            lambda: read(name, where, _preload_content=False, _request_timeout=TIMEOUT_SECONDS),
            missing=f"no {kind} {name!r} in namespace {where!r}",
            kind=f"{kind.lower()}s.apps",
        )
        found: dict[str, Any] = json.loads(answer.data)
        return found

    def budgets(self, namespace: str | None) -> list[dict[str, Any]]:
        """PodDisruptionBudgets of a namespace.

        Raises:
            CommandError: not allowed or not reachable.
        """
        from kubernetes.client import PolicyV1Api  # noqa: PLC0415 - slow to import

        where, policy = namespace or self.namespace, PolicyV1Api(self.api.api_client)
        answer = self._call(
            lambda: policy.list_namespaced_pod_disruption_budget(
                where, _preload_content=False, _request_timeout=TIMEOUT_SECONDS
            ),
            missing="the API server knows no PodDisruptionBudgets",
            kind="poddisruptionbudgets.policy",
        )
        items: list[dict[str, Any]] = json.loads(answer.data)["items"]
        return items

    def capacity_pools(self) -> list[dict[str, Any]]:
        """All CapacityPools; none where their definition is not installed."""
        try:
            listed = self._call(
                lambda: self.api.list_cluster_custom_object(
                    GROUP, VERSION, CAPACITY_POOL.plural, _request_timeout=TIMEOUT_SECONDS
                ),
                missing=_NOT_INSTALLED,
                kind=f"{CAPACITY_POOL.plural}.{GROUP}",
            )
        except CommandError as error:
            if error.code is ExitCode.NOT_FOUND:
                return []
            raise
        items: list[dict[str, Any]] = listed["items"]
        return items

    def events(self, namespace: str | None, *, everywhere: bool) -> list[dict[str, Any]]:
        """Events of policies, as long as the API server keeps them.

        Raises:
            CommandError: not allowed or not reachable.
        """
        where, of_policies = namespace or self.namespace, f"involvedObject.kind={POLICY.kind}"
        asked: dict[str, Any] = {
            "field_selector": of_policies,
            "_preload_content": False,
            "_request_timeout": TIMEOUT_SECONDS,
        }
        answer = self._call(
            lambda: (
                self.core.list_event_for_all_namespaces(**asked)
                if everywhere
                else self.core.list_namespaced_event(where, **asked)
            ),
            missing="the API server knows no events",
            kind="events",
        )
        items: list[dict[str, Any]] = json.loads(answer.data)["items"]
        return items

    def checkpoint(self, name: str, namespace: str | None) -> InferenceCostCheckpoint:
        """What the operator has learned for a policy.

        Raises:
            CommandError: not found, not allowed, not reachable, or not readable.
        """
        where = namespace or self.namespace
        found = self._call(
            lambda: self.api.get_namespaced_custom_object(
                GROUP, VERSION, where, CHECKPOINT.plural, name, _request_timeout=TIMEOUT_SECONDS
            ),
            missing=f"no {CHECKPOINT.kind} {name!r} in namespace {where!r}",
        )
        try:
            return parse_checkpoint(found)
        except InvalidObjectError as error:
            raise CommandError(f"{CHECKPOINT.kind} {where}/{name}: {error}") from None

    def _call(
        self, request: Callable[[], T], *, missing: str, kind: str = f"{POLICY.plural}.{GROUP}"
    ) -> T:
        from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - slow to import
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            return request()
        except ApiException as error:
            raise _refusal(error.status, error.body, missing, kind) from None
        except (HTTPError, OSError) as error:
            raise self.unreachable(error) from None

    def unreachable(self, error: Exception) -> CommandError:
        """What to tell where it does not answer."""
        host = self.api.api_client.configuration.host
        return CommandError(f"cannot reach the API server {host}: {_cause(error)}")


def connect(kubeconfig: str | None, context: str | None) -> Cluster:
    """Read the kubeconfig as kubectl does: `kubeconfig`, else KUBECONFIG, else ~/.kube/config.

    Raises:
        CommandError: there is none, or it cannot be used.
    """
    import yaml  # noqa: PLC0415 - only when a cluster is asked
    from kubernetes import client, config  # noqa: PLC0415 - slow to import

    settings = client.Configuration()
    settings.retries = False
    try:
        config.load_kube_config(kubeconfig, context, client_configuration=settings)
        known, active = config.list_kube_config_contexts(kubeconfig)
    except (config.ConfigException, OSError, TypeError, yaml.YAMLError) as error:
        raise CommandError(
            f"no usable kubeconfig: {_first_line(error)}. Name one with --kubeconfig or KUBECONFIG, "
            "a context with --context"
        ) from None
    chosen = next((c for c in known if c["name"] == context), active)
    namespace = chosen["context"].get("namespace") or "default"
    connection = client.ApiClient(settings)
    return Cluster(client.CustomObjectsApi(connection), client.CoreV1Api(connection), namespace)


_NOT_INSTALLED = (
    f"this cluster has no {POLICY.kind}: install the operator first "
    "(helm install inference-cost-operator charts/inference-cost-operator)"
)


def _refusal(status: int | None, body: Any, missing: str, kind: str) -> CommandError:
    if status == NOT_FOUND:
        return CommandError(
            missing if _names_an_object(body) else _NOT_INSTALLED, ExitCode.NOT_FOUND
        )
    if status == FORBIDDEN:
        role = (
            "a ClusterRole that may list them"
            if not kind.endswith(GROUP)
            else "the role `inference-cost-operator-viewer` (it is part of `view`)"
        )
        return CommandError(f"you may not read {kind}: ask for {role}")
    if status == UNAUTHORIZED:
        return CommandError("the API server refuses your credentials: log in again")
    return CommandError(f"the API server answered with status {status}")


def _names_an_object(body: Any) -> bool:
    """A missing object is named in the answer's details; a missing kind is not."""
    try:
        details = json.loads(body).get("details") or {}
    except (ValueError, TypeError, AttributeError):
        return False
    return bool(details.get("name"))


def _cause(error: Exception) -> str:
    return _first_line(getattr(error, "reason", None) or error)


def _first_line(error: object) -> str:
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
