"""An API server in memory, as far as the writers need one: resourceVersions, conflicts, absent objects.

The real one is used in tests/integration; this one is for what needs a clock of its own, or faults on demand.
"""

from collections.abc import Callable
from typing import Any

from inference_cost.act.errors import (
    ConflictError,
    FencedOffError,
    KubeError,
    NotFoundError,
    RejectedError,
)
from inference_cost.act.kube_api import Json, KubeApi
from inference_cost.act.resources import Resource

Key = tuple[str, str, str]


class MemoryApi(KubeApi):
    """`fail_with`: the next calls raise this. `fenced`: writes are refused. `on_get`: happens during a read."""

    def __init__(self) -> None:
        self.objects: dict[Key, Json] = {}
        self.writes: list[tuple[str, str, Json]] = []
        self.fail_with: KubeError | None = None
        self.fenced = False
        self.on_get: Callable[[], None] = lambda: None
        self._version = 0

    async def get(self, resource: Resource, namespace: str, name: str) -> Json:
        self._fail()
        self.on_get()
        return dict(self._found(resource, namespace, name))

    async def list_all(self, resource: Resource) -> list[Json]:
        self._fail()
        return [o for key, o in self.objects.items() if key[0] == resource.plural]

    async def create(self, resource: Resource, namespace: str, body: Json) -> Json:
        key = (resource.plural, namespace, body["metadata"]["name"])
        self._record("create", key, body)
        if key in self.objects:
            raise ConflictError("exists", status=409)
        return self._store(key, body)

    async def replace(self, resource: Resource, namespace: str, name: str, body: Json) -> Json:
        self._record("update", (resource.plural, namespace, name), body)
        self._check(self._found(resource, namespace, name), body)
        return self._store((resource.plural, namespace, name), body)

    async def merge_patch(self, resource: Resource, namespace: str, name: str, body: Json) -> Json:
        self._record("patch", (resource.plural, namespace, name), body)
        found = self._found(resource, namespace, name)
        self._check(found, body)
        return self._store((resource.plural, namespace, name), merged(found, body))

    async def json_patch(
        self, resource: Resource, namespace: str, name: str, operations: list[Json]
    ) -> Json:
        """As far as our writers need it: tests of the uid, and values that are added."""
        self._record("patch", (resource.plural, namespace, name), {"operations": operations})
        found = self._found(resource, namespace, name)
        for one in operations:
            parts = one["path"].strip("/").split("/")
            place, path = found, [part.replace("~1", "/") for part in parts]
            for part in path[:-1]:
                place = place[part]
            if one["op"] == "test" and place[path[-1]] != one["value"]:
                raise RejectedError("test failed", status=422)
            place[path[-1]] = one["value"]
        return self._store((resource.plural, namespace, name), found)

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> Json:
        self._record("delete", (resource.plural, namespace, name), {"uid": uid})
        if self._found(resource, namespace, name)["metadata"].get("uid", uid) != uid:
            raise ConflictError("another one", status=409)
        return self.objects.pop((resource.plural, namespace, name))

    def _record(self, verb: str, key: Key, body: Json) -> None:
        self._fail()
        if self.fenced:
            raise FencedOffError("not the leader")
        self.writes.append((verb, f"{key[0]}/{key[2]}", body))

    def _fail(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with

    def _found(self, resource: Resource, namespace: str, name: str) -> Json:
        try:
            return self.objects[resource.plural, namespace, name]
        except KeyError:
            raise NotFoundError(f"{resource} {name}", status=404) from None

    @staticmethod
    def _check(found: Json, body: Json) -> None:
        wanted = body.get("metadata", {}).get("resourceVersion")
        if wanted not in (None, found["metadata"]["resourceVersion"]):
            raise ConflictError("modified", status=409)

    def _store(self, key: Key, body: Json) -> Json:
        self._version += 1
        stored: Json = merged(body, {"metadata": {"resourceVersion": str(self._version)}})
        self.objects[key] = stored
        return stored


def merged(base: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(base) if isinstance(base, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
