"""Checks of rights: those of the operator's account, by what they are for, and one's own."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from inference_cost.cli.doctor.facts import Facts, Operator, Right
from inference_cost.cli.doctor.findings import Area, Finding, Level
from inference_cost.cli.doctor.rights import OWN, Duty, duties_of
from inference_cost.cli.listing import Unread

RIGHTS_NAMED: Final = 4


def check(facts: Facts) -> Iterator[Finding]:
    scaled = frozenset(target.key.kind for target in facts.targets)
    for one in facts.operators:
        yield from _account(one, duties_of(one, scaled=scaled, warm_pools=facts.warm_pools))
    yield from _own(facts)


def _account(one: Operator, duties: Iterable[Duty]) -> Iterator[Finding]:
    rights = one.rights
    if isinstance(rights, Unread):
        yield _right(Level.UNKNOWN, one.account, rights.why, rights.fix)
        return
    found = [finding for duty in duties for finding in _duty(one.account, rights, duty)]
    if not any(finding.level is Level.PROBLEM for finding in found):
        found.append(_right(Level.OK, one.account, "it may do what it needs"))
    yield from found


def _duty(account: str, rights: Mapping[Right, bool], duty: Duty) -> Iterator[Finding]:
    missing = sorted(right for right in duty.rights if not rights.get(right, False))
    extra = sorted(right for right in duty.rights if rights.get(right, False))
    if duty.on and missing:
        yield _right(
            Level.PROBLEM,
            account,
            f"it may not {_named(missing)}: {duty.without}",
            f"helm upgrade with rbac.create=true, or grant what templates/{duty.template} says",
        )
    elif duty.on is False and extra:
        yield _right(
            Level.WARNING,
            account,
            f"it may {_named(extra)}, although {duty.switch} is false",
            "delete the binding of the role that grants it",
        )


def _own(facts: Facts) -> Iterator[Finding]:
    for right, commands in OWN.items():
        if right in facts.own_rights and not facts.own_rights[right]:
            yield _right(
                Level.WARNING,
                "you",
                f"you may not {right}, as {commands} do",
                "ask for it where you need these commands",
            )


def _named(rights: list[Right]) -> str:
    more = f" and {len(rights) - RIGHTS_NAMED} more" if len(rights) > RIGHTS_NAMED else ""
    return f"{', '.join(map(str, rights[:RIGHTS_NAMED]))}{more}"


def _right(level: Level, subject: str, message: str, fix: str = "") -> Finding:
    return Finding(level=level, area=Area.RIGHTS, subject=subject, message=message, fix=fix)
