"""All that one tick found out, handed from the loop to the writers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from inference_cost.account.costs import Costs
from inference_cost.account.month import AccountMemory
from inference_cost.model.memory import Memory
from inference_cost.model.observation import Snapshot
from inference_cost.model.plan import Plan
from inference_cost.model.policy import PolicyKey
from inference_cost.model.warm import WarmPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A plan is absent where its decision failed; `costs` is None where accounting failed."""

    snapshot: Snapshot
    plans: Mapping[PolicyKey, Plan]
    memory: Memory
    costs: Costs | None
    account: Mapping[PolicyKey, AccountMemory] = field(default_factory=lambda: MappingProxyType({}))
    warm: Mapping[str, WarmPlan] = field(default_factory=lambda: MappingProxyType({}))  # by pool

    @property
    def policies(self) -> frozenset[PolicyKey]:
        """Every policy there is, followed or refused."""
        observed = {seen.policy.key for seen in self.snapshot.observations}
        return frozenset(observed | {refusal.key for refusal in self.snapshot.refusals})
