"""The status of a pod as a kubelet reports it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from e2e.rig.process_node.kubernetes_api import Manifest


def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not started yet, or not again yet."""

    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Terminated:
    exit_code: int
    started_at: datetime
    finished_at: datetime

    @property
    def reason(self) -> str:
        return "Completed" if self.exit_code == 0 else "Error"


State = Waiting | Running | Terminated


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerReport:
    """One container as it is now."""

    name: str
    image: str
    container_id: str
    state: State
    last: Terminated | None = None
    started: bool = False
    ready: bool = False
    restarts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PodReport:
    """One pod as it is now."""

    containers: Sequence[ContainerReport]
    restart_policy: str
    host_ip: str
    pod_ip: str
    start_time: datetime


ConditionTimes = Mapping[str, tuple[str, str]]  # type → (status, last transition)


def pod_status(
    report: PodReport, known: ConditionTimes, now: datetime
) -> tuple[Manifest, ConditionTimes]:
    """Return the status and, for the next call, when each condition last changed."""
    phase = pod_phase(report)
    ready = all(container.ready for container in report.containers)
    running_over = phase in {"Succeeded", "Failed"}
    statuses = {
        "PodReadyToStartContainers": not running_over,
        "Initialized": True,
        "ContainersReady": ready,
        "Ready": ready,
    }
    times = {kind: _transition(kind, value, known, now) for kind, value in statuses.items()}
    status = {
        "phase": phase,
        "hostIP": report.host_ip,
        "hostIPs": [{"ip": report.host_ip}],
        "podIP": report.pod_ip,
        "podIPs": [{"ip": report.pod_ip}],
        "startTime": timestamp(report.start_time),
        "conditions": [_condition(kind, times[kind], report) for kind in statuses],
        "containerStatuses": [_container_status(container) for container in report.containers],
    }
    return status, times


def pod_phase(report: PodReport) -> Literal["Pending", "Running", "Succeeded", "Failed"]:
    """Return the phase by the rules of the Kubernetes documentation on pod lifecycle."""
    states = [container.state for container in report.containers]
    if any(isinstance(c.state, Waiting) and c.last is None for c in report.containers):
        return "Pending"
    ended = [state for state in states if isinstance(state, Terminated)]
    if len(ended) < len(states) or restarts_after_exit(report.restart_policy, ended):
        return "Running"
    return "Failed" if any(state.exit_code != 0 for state in ended) else "Succeeded"


def restarts_after_exit(restart_policy: str, ended: Sequence[Terminated]) -> bool:
    """Whether any of these containers will be started again."""
    if restart_policy == "OnFailure":
        return any(state.exit_code != 0 for state in ended)
    return restart_policy == "Always"


def _transition(kind: str, value: bool, known: ConditionTimes, now: datetime) -> tuple[str, str]:
    status = str(value)
    before = known.get(kind)
    return before if before and before[0] == status else (status, timestamp(now))


def _condition(kind: str, time: tuple[str, str], report: PodReport) -> Manifest:
    status, since = time
    condition: Manifest = {
        "type": kind,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": since,
        # A strategic merge keeps what is not mentioned, so an old reason is removed explicitly.
        "reason": None,
        "message": None,
    }
    unready = [container.name for container in report.containers if not container.ready]
    if kind in {"Ready", "ContainersReady"} and unready:
        condition["reason"] = "ContainersNotReady"
        condition["message"] = f"containers with unready status: [{' '.join(unready)}]"
    return condition


def _container_status(container: ContainerReport) -> Manifest:
    return {
        "name": container.name,
        "image": container.image,
        "imageID": f"process://{container.image}",
        "containerID": container.container_id,
        "ready": container.ready,
        "started": container.started,
        "restartCount": container.restarts,
        "state": _state(container.state),
        "lastState": _state(container.last) if container.last else {},
    }


def _state(state: State) -> Manifest:
    if isinstance(state, Waiting):
        return {"waiting": {"reason": state.reason, "message": state.message}}
    if isinstance(state, Running):
        return {"running": {"startedAt": timestamp(state.started_at)}}
    return {
        "terminated": {
            "exitCode": state.exit_code,
            "reason": state.reason,
            "startedAt": timestamp(state.started_at),
            "finishedAt": timestamp(state.finished_at),
        }
    }
