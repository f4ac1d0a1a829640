"""The object kinds we watch, in one place: handlers, re-lists and RBAC follow this list."""

from collections.abc import Iterable
from dataclasses import dataclass

from inference_cost.api import group
from inference_cost.observe.settings import ScaleTargetKind


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedKind:
    """One kind. `optional`: the operator works without it, when its CRD is absent or reading it is forbidden."""

    kind: str
    group: str  # "" is the core group
    version: str
    plural: str
    namespaced: bool = True
    optional: bool = False
    scale_target: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """Collection path over all namespaces."""
        prefix = f"/apis/{self.group}" if self.group else "/api"
        return f"{prefix}/{self.version}/{self.plural}"

    @property
    def resource(self) -> str:
        """Name as RBAC and kubectl write it, for example `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


POLICY = WatchedKind(
    kind=group.POLICY.kind, group=group.GROUP, version=group.VERSION, plural=group.POLICY.plural
)
CAPACITY_POOL = WatchedKind(
    kind=group.CAPACITY_POOL.kind,
    group=group.GROUP,
    version=group.VERSION,
    plural=group.CAPACITY_POOL.plural,
    namespaced=False,
    optional=True,
)
NAMESPACE = WatchedKind(
    kind="Namespace", group="", version="v1", plural="namespaces", namespaced=False, optional=True
)
POD = WatchedKind(kind="Pod", group="", version="v1", plural="pods")
NODE = WatchedKind(kind="Node", group="", version="v1", plural="nodes", namespaced=False)
SERVICE = WatchedKind(kind="Service", group="", version="v1", plural="services", optional=True)
NODE_OVERLAY = WatchedKind(
    kind="NodeOverlay",
    group="karpenter.sh",
    version="v1alpha1",
    plural="nodeoverlays",
    namespaced=False,
    optional=True,
)
NODE_CLAIM = WatchedKind(
    kind="NodeClaim",
    group="karpenter.sh",
    version="v1",
    plural="nodeclaims",
    namespaced=False,
    optional=True,
)
# Read only where the installation lets it be written.
CAPACITY_BUFFER = WatchedKind(
    kind="CapacityBuffer",
    group="autoscaling.x-k8s.io",
    version="v1beta1",
    plural="capacitybuffers",
    optional=True,
)
HORIZONTAL_POD_AUTOSCALER = WatchedKind(
    kind="HorizontalPodAutoscaler",
    group="autoscaling",
    version="v2",
    plural="horizontalpodautoscalers",
    optional=True,
)
SCALED_OBJECT = WatchedKind(
    kind="ScaledObject", group="keda.sh", version="v1alpha1", plural="scaledobjects", optional=True
)
DEPLOYMENT = WatchedKind(
    kind="Deployment", group="apps", version="v1", plural="deployments", scale_target=True
)
STATEFUL_SET = WatchedKind(
    kind="StatefulSet", group="apps", version="v1", plural="statefulsets", scale_target=True
)

SUPPORTING_KINDS = (
    POLICY,
    CAPACITY_POOL,
    NAMESPACE,
    POD,
    NODE,
    SERVICE,
    HORIZONTAL_POD_AUTOSCALER,
    SCALED_OBJECT,
    NODE_OVERLAY,
    NODE_CLAIM,
)
SCALE_TARGET_KINDS = (DEPLOYMENT, STATEFUL_SET)  # those of the standard installation
WATCHED_KINDS = SUPPORTING_KINDS + SCALE_TARGET_KINDS


def watched_kinds(
    more_scale_targets: Iterable[ScaleTargetKind], *, capacity_buffers: bool = False
) -> tuple[WatchedKind, ...]:
    """All kinds to watch in an installation that enables these scale targets, and CapacityBuffers, too."""
    more = (
        WatchedKind(
            kind=k.kind,
            group=k.group,
            version=k.version,
            plural=k.plural,
            optional=True,
            scale_target=True,
        )
        for k in more_scale_targets
    )
    buffers = (CAPACITY_BUFFER,) if capacity_buffers else ()
    return (*WATCHED_KINDS, *buffers, *more)
