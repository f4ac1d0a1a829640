"""The writes that keep nodes: of a Deployment of placeholders, or of a CapacityBuffer and its template."""

from typing import Protocol

from inference_cost.act.capacity_buffers import (
    buffer,
    buffer_change,
    stored_template,
    template_change,
)
from inference_cost.act.errors import ConflictError, NotFoundError
from inference_cost.act.kube_api import KubeApi
from inference_cost.act.placeholders import (
    Json,
    PlaceholderSettings,
    change,
    deployment,
    template_digest,
)
from inference_cost.act.resources import (
    CAPACITY_BUFFERS,
    DEPLOYMENTS,
    POD_TEMPLATES,
    PRIORITY_CLASSES,
    Resource,
)
from inference_cost.api.placeholders import placeholder_name
from inference_cost.model.warm import Asked, WarmPool


class WarmWrites(Protocol):
    """Each may raise KubeError."""

    async def create(self, pool: WarmPool, replicas: int, template: Json) -> None: ...

    async def change(self, asked: Asked, replicas: int, template: Json | None) -> None:
        """`template`: None where the one that is stored stays."""
        ...

    async def delete(self, asked: Asked) -> None:
        """One that is gone is no error."""
        ...


class PlaceholderWrites:
    def __init__(self, api: KubeApi, settings: PlaceholderSettings) -> None:
        self._api = api
        self._settings = settings

    async def create(self, pool: WarmPool, replicas: int, template: Json) -> None:
        owner = await class_uid(self._api, self._settings.priority_class)
        body = deployment(pool, replicas, template, self._settings, owner)
        await self._api.create(DEPLOYMENTS, self._settings.namespace, body)

    async def change(self, asked: Asked, replicas: int, template: Json | None) -> None:
        operations = change(asked.uid, replicas, template)
        await self._api.json_patch(DEPLOYMENTS, self._settings.namespace, asked.name, operations)

    async def delete(self, asked: Asked) -> None:
        await _deleted(self._api, DEPLOYMENTS, self._settings.namespace, asked.name, asked.uid)


class BufferWrites:
    """The template is always written first: a buffer never names one that is not there."""

    def __init__(self, api: KubeApi, settings: PlaceholderSettings) -> None:
        self._api = api
        self._settings = settings

    async def create(self, pool: WarmPool, replicas: int, template: Json) -> None:
        await self._write_template(placeholder_name(pool.name), template)
        owner = await self._owner()
        body = buffer(pool, replicas, template_digest(template), self._settings, owner)
        await self._api.create(CAPACITY_BUFFERS, self._settings.namespace, body)

    async def change(self, asked: Asked, replicas: int, template: Json | None) -> None:
        digest = asked.template if template is None else template_digest(template)
        if template is not None and asked.template != digest:
            await self._write_template(asked.name, template)
        operations = buffer_change(asked.uid, replicas, digest)
        await self._api.json_patch(
            CAPACITY_BUFFERS, self._settings.namespace, asked.name, operations
        )

    async def delete(self, asked: Asked) -> None:
        """The template goes first: as long as the buffer is there the next look tries both again."""
        namespace = self._settings.namespace
        await self._delete_template(asked.name)
        await _deleted(self._api, CAPACITY_BUFFERS, namespace, asked.name, asked.uid)

    async def _delete_template(self, name: str) -> None:
        namespace = self._settings.namespace
        try:
            template = await self._api.get(POD_TEMPLATES, namespace, name)
        except NotFoundError:
            return
        uid = str(template["metadata"]["uid"])
        await _deleted(self._api, POD_TEMPLATES, namespace, name, uid)

    async def _write_template(self, name: str, template: Json) -> None:
        body = stored_template(name, template, self._settings, await self._owner())
        namespace = self._settings.namespace
        try:
            await self._api.create(POD_TEMPLATES, namespace, body)
        except ConflictError:
            operations = template_change(template)
            await self._api.json_patch(POD_TEMPLATES, namespace, name, operations)

    async def _owner(self) -> str:
        return await class_uid(self._api, self._settings.buffer_priority_class)


async def class_uid(api: KubeApi, priority_class: str) -> str:
    found = await api.get(PRIORITY_CLASSES, "", priority_class)
    return str(found["metadata"]["uid"])


async def _deleted(api: KubeApi, resource: Resource, namespace: str, name: str, uid: str) -> None:
    try:
        await api.delete(resource, namespace, name, uid=uid)
    except NotFoundError:
        return
