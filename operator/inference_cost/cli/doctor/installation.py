"""Checks of the installation: definitions, versions, replicas, the switches."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from inference_cost.api.capacity_pool import WarmStrategy
from inference_cost.api.group import CAPACITY_POOL, CHECKPOINT, POLICY
from inference_cost.cli.doctor.facts import Facts, Operator
from inference_cost.cli.doctor.findings import Area, Finding, Level

PLURALS: Final = (POLICY.plural, CAPACITY_POOL.plural, CHECKPOINT.plural)
FIELDS_NAMED: Final = 3
UPGRADE: Final = "upgrade the release with crds.install=true, or kubectl apply the files in crds/"
ENFORCE: Final = "Enforce"


def check(facts: Facts) -> Iterator[Finding]:
    yield from _definitions(facts)
    yield from _operators(facts)
    for one in facts.operators:
        yield from _versions(facts, one)
        yield from _switch(facts, one)
        yield from _warm(facts, one)


def _installation(level: Level, subject: str, message: str, fix: str = "") -> Finding:
    return Finding(level=level, area=Area.INSTALLATION, subject=subject, message=message, fix=fix)


def _definitions(facts: Facts) -> Iterator[Finding]:
    absent = [plural for plural in PLURALS if plural not in facts.definitions.installed]
    if absent:
        yield _installation(
            Level.PROBLEM,
            "custom resources",
            f"{', '.join(absent)} are not installed",
            f"install the operator, or {UPGRADE}",
        )
    if facts.definitions.schemas is None:
        yield _installation(
            Level.UNKNOWN,
            "custom resources",
            "the API server does not publish their schemas to you, so that their fields are not compared",
            "ask for the role system:discovery",
        )
        return
    missing = [
        f"{plural} {path}"
        for plural, schema in facts.definitions.schemas.items()
        for path in missing_fields(schema, facts.own_schemas.get(plural, {}))
    ]
    if missing:
        more = f" and {len(missing) - FIELDS_NAMED} more" if len(missing) > FIELDS_NAMED else ""
        yield _installation(
            Level.PROBLEM,
            "custom resources",
            f"the cluster's lack fields of version {facts.version}: {', '.join(missing[:FIELDS_NAMED])}{more}",
            UPGRADE,
        )
    elif not absent:
        yield _installation(
            Level.OK, "custom resources", f"installed, with all fields of version {facts.version}"
        )


def missing_fields(
    installed: Mapping[str, Any], own: Mapping[str, Any], path: str = ""
) -> list[str]:
    """Paths of fields in `own` that `installed` does not have; of what is absent only the top."""
    found: list[str] = []
    theirs = installed.get("properties") or {}
    for name, schema in (own.get("properties") or {}).items():
        here = f"{path}.{name}" if path else name
        if name in theirs:
            found += missing_fields(theirs[name], schema, here)
        elif here != "metadata":
            found.append(here)
    if "items" in own and "items" in installed:
        found += missing_fields(installed["items"], own["items"], f"{path}[]")
    return found


def _operators(facts: Facts) -> Iterator[Finding]:
    if not facts.operators:
        unread = next((one for one in facts.unread if one.what == "deployments"), None)
        if unread is not None:
            yield _installation(Level.UNKNOWN, "operator", unread.why, unread.fix)
            return
        yield _installation(
            Level.PROBLEM,
            "operator",
            "no Deployment of inference-cost-operator was found",
            "helm install inference-cost-operator charts/inference-cost-operator -n inference-cost --create-namespace",
        )
    if len(facts.operators) > 1:
        names = ", ".join(map(str, facts.operators))
        yield _installation(
            Level.PROBLEM,
            "operator",
            f"it is installed {len(facts.operators)} times ({names}): both write the same replicas and statuses",
            "helm uninstall all but one; policies and replicas stay as they are",
        )
    for one in facts.operators:
        yield from _replicas(one)


def _replicas(one: Operator) -> Iterator[Finding]:
    told = f"{one.ready} of {one.replicas} replicas are ready"
    if one.ready == 0:
        yield _installation(
            Level.PROBLEM,
            str(one),
            f"{told}: nobody decides, and replicas stay as they are",
            f"kubectl -n {one.namespace} describe pods -l app.kubernetes.io/name=inference-cost-operator",
        )
    elif one.replicas == 1:
        yield _installation(
            Level.WARNING,
            str(one),
            f"{told}: nobody stands by while it is moved or upgraded",
            "set replicaCount to 2",
        )
    elif one.ready < one.replicas:
        yield _installation(Level.WARNING, str(one), told, f"kubectl -n {one.namespace} get pods")
    else:
        yield _installation(Level.OK, str(one), told)


def _versions(facts: Facts, one: Operator) -> Iterator[Finding]:
    if one.version and one.version != facts.version:
        yield _installation(
            Level.WARNING,
            str(one),
            f"it is of version {one.version}, this command of {facts.version}: they may tell things apart",
            "install the same version of both",
        )


def _switch(facts: Facts, one: Operator) -> Iterator[Finding]:
    enforcing = sorted({target.policy for target in facts.targets if target.mode == ENFORCE})
    if one.enforces is None:
        yield _installation(
            Level.UNKNOWN,
            str(one),
            "its settings cannot be read",
            f"ask for the right to read configmaps in namespace {one.namespace}",
        )
        return
    if enforcing and not one.enforces:
        yield _installation(
            Level.PROBLEM,
            str(one),
            f"{', '.join(enforcing[:FIELDS_NAMED])} ask for Enforce, and enforce.enabled is false: nothing is scaled",
            "helm upgrade --reuse-values --set enforce.enabled=true",
        )
    if one.prometheus_url == "":
        yield _installation(
            Level.PROBLEM,
            str(one),
            "prometheus.url is empty: nothing is measured and nothing is scaled",
            "helm upgrade --reuse-values --set prometheus.url=http://…",
        )


def _warm(facts: Facts, one: Operator) -> Iterator[Finding]:
    if one.settings is None:
        return
    enabled = bool(one.setting("warm", "enabled"))
    buffers = enabled and bool(one.setting("warm", "capacity_buffers"))
    for name, strategy in facts.warm_pools.items():
        by_buffer = strategy == WarmStrategy.CAPACITY_BUFFER
        if buffers if by_buffer else enabled:
            continue
        switch = "warm.enabled or warm.capacityBuffers" if by_buffer else "warm.enabled"
        setting = "warm.enabled=true" + (",warm.capacityBuffers=true" if by_buffer else "")
        yield _installation(
            Level.WARNING,
            str(one),
            f"CapacityPool {name} asks for nodes kept ready ({strategy}), and {switch} is false: none are, and the "
            "pool's status says how many would pay",
            f"helm upgrade --reuse-values --set {setting}, or take spec.warm away",
        )
