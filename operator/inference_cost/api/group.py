"""API group, version and kinds: the only place where they are written."""

from dataclasses import dataclass

GROUP = "inferencecost.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

CATEGORY = "inference"
# Of all that the operator writes, in `metadata.managedFields`.
FIELD_MANAGER = "inference-cost-operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How a kind is called in manifests, in URLs and on the command line."""

    kind: str
    plural: str
    singular: str
    namespaced: bool
    short_names: tuple[str, ...] = ()

    @property
    def crd_name(self) -> str:
        return f"{self.plural}.{GROUP}"


POLICY = Names(
    kind="InferenceCostPolicy",
    plural="inferencecostpolicies",
    singular="inferencecostpolicy",
    namespaced=True,
    short_names=("icp",),
)
CAPACITY_POOL = Names(
    kind="CapacityPool",
    plural="capacitypools",
    singular="capacitypool",
    namespaced=False,
    short_names=("cpool",),
)
CHECKPOINT = Names(
    kind="InferenceCostCheckpoint",
    plural="inferencecostcheckpoints",
    singular="inferencecostcheckpoint",
    namespaced=True,
)
KINDS = (POLICY, CAPACITY_POOL, CHECKPOINT)
