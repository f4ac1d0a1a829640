"""What a replica can carry now: as learned, as calibrated, and with traffic as uneven as it is."""

from inference_cost.decide.calibration import calibrate
from inference_cost.decide.case import Case, observed
from inference_cost.decide.evenness import look, on_effective
from inference_cost.decide.learning import learn
from inference_cost.decide.profile import Capability
from inference_cost.decide.schedule import InForce
from inference_cost.decide.traffic import Traffic
from inference_cost.decide.zero import noticed
from inference_cost.model.plan import Attainment
from inference_cost.model.reading import Missing


def carried(
    case: Case, bounds: InForce, seen: Traffic
) -> tuple[Case, Capability, Attainment | Missing]:
    """With what this look adds to the memory, and whether the objective held."""
    case, can, reached = learn(noticed(observed(case), bounds, seen), seen)
    case, can = calibrate(look(case, seen), seen, can)
    return case, on_effective(can, case.memory.evenness, case.at), reached
