"""What a replica can carry now: as learned, as calibrated, and with traffic as uneven as it is."""

from inference_cost.decide.calibration import calibrate
from inference_cost.decide.case import Case
from inference_cost.decide.evenness import look, on_effective
from inference_cost.decide.learning import Lesson, learn
from inference_cost.decide.replica.profile import Capability
from inference_cost.decide.replica.slow_pods import beside_slow
from inference_cost.decide.traffic import Traffic
from inference_cost.model.memory import Calibration
from inference_cost.model.plan import Evenness


def carried(case: Case, seen: Traffic) -> tuple[Lesson, Calibration, Evenness, Capability]:
    """The last is what holds; the others are what it follows from, to be remembered."""
    lesson, uneven = learn(case, seen), look(case, seen)
    calibration, can = calibrate(case, seen, lesson.can)
    can = beside_slow(can, case.slow, case.fleet.ready, case.observation.policy)
    return lesson, calibration, uneven, on_effective(can, uneven, case.at)
