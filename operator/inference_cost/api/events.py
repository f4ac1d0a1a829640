"""Reasons of the Events that the operator records. At most 15, each documented here."""

from enum import StrEnum


class EventReason(StrEnum):
    SCALED_OUT = "ScaledOut"
    SCALED_IN = "ScaledIn"
    SCALE_FAILED = "ScaleFailed"
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    METRICS_RECOVERED = "MetricsRecovered"
    SLO_VIOLATED = "SLOViolated"
    SLO_RECOVERED = "SLORecovered"
    CAPACITY_UNAVAILABLE = "CapacityUnavailable"
    CAPACITY_RECOVERED = "CapacityRecovered"
    FALLBACK_STARTED = "FallbackStarted"
    CONFLICTED = "Conflicted"
    NOT_ACCEPTED = "NotAccepted"
    FLEET_GUARD_ENGAGED = "FleetGuardEngaged"
    PAUSE_CHANGED = "PauseChanged"
    HEADROOM_RULE_CHANGED = "HeadroomRuleChanged"


MEANING: dict[EventReason, str] = {
    EventReason.SCALED_OUT: "Replicas were added through /scale.",
    EventReason.SCALED_IN: "Replicas were removed through /scale.",
    EventReason.SCALE_FAILED: "The API server refused or did not answer a /scale write.",
    EventReason.METRICS_UNAVAILABLE: "No usable metrics: replicas are held.",
    EventReason.METRICS_RECOVERED: "Metrics are back: scaling goes on, and no `fallback` decides.",
    EventReason.SLO_VIOLATED: "The measured objective is missed.",
    EventReason.SLO_RECOVERED: "The measured objective is met again.",
    EventReason.CAPACITY_UNAVAILABLE: "Pods pend, crash or are refused: the ask is cut.",
    EventReason.CAPACITY_RECOVERED: "Pods start again.",
    EventReason.FALLBACK_STARTED: "Metrics were missing for too long: `fallback` decides.",
    EventReason.CONFLICTED: "Another autoscaler, policy or manager owns the replicas.",
    EventReason.NOT_ACCEPTED: "The policy cannot be acted on as written.",
    EventReason.FLEET_GUARD_ENGAGED: "Too many policies ask for less at once: removals wait.",
    EventReason.PAUSE_CHANGED: "A pause annotation was set, changed or removed.",
    EventReason.HEADROOM_RULE_CHANGED: "A headroom rule that the record shows to be clearly cheaper is followed.",
}
