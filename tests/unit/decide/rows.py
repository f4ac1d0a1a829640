"""One row of a table of decisions: what is seen and remembered, and what is decided."""

from dataclasses import dataclass

from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import LimitedBy
from tests.unit.decide.worlds import learned, plan_of


@dataclass(frozen=True)
class Row:
    seen: PolicyObservation
    desired: int
    limited_by: LimitedBy
    memory: PolicyMemory | None = None

    def check(self) -> None:
        plan = plan_of(self.seen, self.memory if self.memory is not None else learned(needs=1))
        assert (plan.desired, plan.limited_by) == (self.desired, self.limited_by)
