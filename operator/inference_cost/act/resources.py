"""The resources that the operator writes, as paths."""

from dataclasses import dataclass

from inference_cost.api.group import CAPACITY_POOL, CHECKPOINT, GROUP, POLICY, VERSION
from inference_cost.model.policy import TargetRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A kind as the API server addresses it. `subresource`: "" or for example "status"."""

    group: str  # "" for the core group
    version: str
    plural: str
    subresource: str = ""

    def path(self, namespace: str, name: str) -> str:
        """Path of an object, or of the collection when `name` is empty; all namespaces when that is empty."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name:
            parts.append(name)
            if self.subresource:
                parts.append(self.subresource)
        return "/".join(parts)

    def __str__(self) -> str:
        plural = f"{self.plural}/{self.subresource}" if self.subresource else self.plural
        return f"{plural}.{self.group}" if self.group else plural


POLICIES = Resource(group=GROUP, version=VERSION, plural=POLICY.plural)
POLICY_STATUS = Resource(group=GROUP, version=VERSION, plural=POLICY.plural, subresource="status")
POOL_STATUS = Resource(
    group=GROUP, version=VERSION, plural=CAPACITY_POOL.plural, subresource="status"
)
CHECKPOINTS = Resource(group=GROUP, version=VERSION, plural=CHECKPOINT.plural)
LEASES = Resource(group="coordination.k8s.io", version="v1", plural="leases")
POD_TEMPLATES = Resource(group="", version="v1", plural="podtemplates")
CAPACITY_BUFFERS = Resource(
    group="autoscaling.x-k8s.io", version="v1beta1", plural="capacitybuffers"
)
PODS = Resource(group="", version="v1", plural="pods")
DEPLOYMENTS = Resource(group="apps", version="v1", plural="deployments")
PRIORITY_CLASSES = Resource(group="scheduling.k8s.io", version="v1", plural="priorityclasses")
EVENTS = Resource(group="events.k8s.io", version="v1", plural="events")


def target_resource(target: TargetRef, *, plural: str = "", subresource: str = "") -> Resource:
    """The resource of a scale target. `plural`: as the installation names it; "" is the regular one."""
    group, _, version = target.api_version.rpartition("/")
    named = plural or target.kind.lower() + "s"
    return Resource(group=group, version=version, plural=named, subresource=subresource)


def scale_of(target: TargetRef, *, plural: str = "") -> Resource:
    return target_resource(target, plural=plural, subresource="scale")
