"""How long a replica takes for a batch: from `--profile`, or as the operator learned it in a checkpoint."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from inference_cost.act.checkpoint_payload import FORMAT, decode
from inference_cost.api.checkpoint import InferenceCostCheckpoint
from inference_cost.cli.backtest.csv_file import is_number
from inference_cost.cli.failure import CommandError, ExitCode
from inference_cost.decide.replica.domain import LARGEST_BATCH
from inference_cost.decide.replica.profile import max_batch_size
from inference_cost.decide.replica.service_time import solve
from inference_cost.model.policy import Policy
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.simulate.service import Service

EXAMPLE = "--profile fixedMilliseconds=1.6,perItemMilliseconds=3.8,maxBatch=16"
REQUIRED = ("fixedMilliseconds", "perItemMilliseconds", "maxBatch")
OPTIONAL = {"queueDelayMicroseconds": "0", "instances": "1", "queuePolicy": "false"}
LARGEST_MILLISECONDS, LARGEST_MICROSECONDS = 600_000.0, 600_000_000.0
MOST_INSTANCES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A replica's service, and in words where it comes from."""

    service: Service
    source: str


def parse_profile(text: str) -> Profile:
    """Read `key=value,…`.

    Raises:
        CommandError: a key is unknown, missing or twice, or a value is wrong.
    """
    given = _pairs(text)
    missing = [key for key in REQUIRED if key not in given]
    if missing:
        raise _wrong(f"{missing[0]} is missing", text)
    values = OPTIONAL | given
    fixed = _number(text, "fixedMilliseconds", values, LARGEST_MILLISECONDS) / 1e3
    per_item = _number(text, "perItemMilliseconds", values, LARGEST_MILLISECONDS) / 1e3
    if fixed + per_item <= 0:
        raise _wrong("a batch must take some time", text)
    service = Service(
        fixed_seconds=fixed,
        per_item_seconds=per_item,
        max_batch=_whole(text, "maxBatch", values, LARGEST_BATCH),
        instances=_whole(text, "instances", values, MOST_INSTANCES),
        queue_delay_seconds=_number(text, "queueDelayMicroseconds", values, LARGEST_MICROSECONDS)
        / 1e6,
        queue_policy=_flag(text, "queuePolicy", values),
    )
    return Profile(service=service, source="--profile")


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise _wrong(f"{part!r} is not key=value", text)
        if key not in {*REQUIRED, *OPTIONAL}:
            known = ", ".join([*REQUIRED, *OPTIONAL])
            raise _wrong(f"{key!r} is not one of {known}", text)
        if key in found:
            raise _wrong(f"{key} is there twice", text)
        found[key] = value
    return found


def _number(text: str, key: str, values: Mapping[str, str], largest: float) -> float:
    value = values[key]
    if not is_number(value) or not 0 <= float(value) <= largest:
        raise _wrong(f"{key} must be a number from 0 to {largest:,.0f}, not {value!r}", text)
    return float(value)


def _whole(text: str, key: str, values: Mapping[str, str], largest: int) -> int:
    value = values[key]
    if not value.isdecimal() or not 1 <= int(value) <= largest:
        raise _wrong(f"{key} must be a whole number from 1 to {largest:,}, not {value!r}", text)
    return int(value)


def _flag(text: str, key: str, values: Mapping[str, str]) -> bool:
    value = values[key]
    if value not in {"true", "false"}:
        raise _wrong(f"{key} must be true or false, not {value!r}", text)
    return value == "true"


def _wrong(what: str, text: str) -> CommandError:
    return CommandError(f"--profile {text}: {what}; for example {EXAMPLE}", ExitCode.USAGE)


def learned_profile(policy: Policy, checkpoint: InferenceCostCheckpoint, place: str) -> Profile:
    """The profile in a policy's checkpoint. `place`: where it was found, in words.

    Raises:
        CommandError: nothing usable is in it.
    """
    learned = decode(checkpoint.data.payload) if checkpoint.data.version == FORMAT else None
    if learned is None:
        raise _unusable(policy, place, "cannot be read by this version")
    estimate = next((one for one in learned.memory.estimates if solve(one)), None)
    time = solve(estimate) if estimate else None
    if estimate is None or time is None or time.seconds(1.0) <= 0:
        raise _unusable(policy, place, "has no service times yet")
    size = max_batch_size(Missing(reason=MissingReason.NOT_CONFIGURED, detail=""), estimate)
    return Profile(
        service=Service(
            fixed_seconds=time.alpha_seconds, per_item_seconds=time.beta_seconds, max_batch=size
        ),
        source=f"InferenceCostCheckpoint {policy.key} {place}; maxBatch {size} is the largest mean batch "
        "seen, a lower bound of the configured one",
    )


def _unusable(policy: Policy, place: str, why: str) -> CommandError:
    return CommandError(
        f"the InferenceCostCheckpoint of {policy.key} {place} {why}; give the service times: {EXAMPLE}"
    )


def profile_of(
    policy: Policy,
    given: str,
    in_file: InferenceCostCheckpoint | None,
    ask_cluster: Callable[[Policy], InferenceCostCheckpoint],
) -> Profile:
    """`given` by `--profile`, else from the checkpoint in the file, else from the cluster.

    Raises:
        CommandError: none of them has it.
    """
    if given:
        return parse_profile(given)
    if in_file is not None:
        return learned_profile(policy, in_file, "in -f")
    try:
        found = ask_cluster(policy)
    except CommandError as error:
        raise CommandError(
            f"no service times for {policy.key}: there is no --profile, no InferenceCostCheckpoint of it in "
            f"-f, and none from the cluster ({error}); give them: {EXAMPLE}"
        ) from None
    return learned_profile(policy, found, "in the cluster")
