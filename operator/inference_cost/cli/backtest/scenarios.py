"""From objects, arrivals and options to the scenarios to run, and a record of all that went in."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from inference_cost.cli.backtest.objects import Objects, checkpoint_key
from inference_cost.cli.backtest.options import NOTICE_SECONDS, PRICE, START_SECONDS, Options
from inference_cost.cli.backtest.pool_prices import (
    ASSUMED,
    ReplicaPrice,
    on_demand_price,
    spot_prices,
)
from inference_cost.cli.backtest.profile import Profile, profile_of
from inference_cost.cli.backtest.spot_file import Availability, read_availability, spot_market
from inference_cost.cli.backtest.start_file import read_starts
from inference_cost.cli.backtest.text_file import FileRead
from inference_cost.cli.cluster import connect
from inference_cost.cli.failure import CommandError
from inference_cost.model.policy import LatencyObjective, Policy
from inference_cost.model.policy import Routing as PolicyRouting
from inference_cost.simulate.scenario import Fidelity, Routing, Scenario, SpotMarket
from inference_cost.simulate.service import Service
from inference_cost.simulate.steady_state import largest_load
from inference_cost.simulate.traffic import Traffic

TICK_SECONDS = 15.0  # the operator's `tickSeconds`, unless scrapes are further apart


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One policy to replay, and where its parts come from."""

    scenario: Scenario
    profile: Profile
    price: ReplicaPrice

    @property
    def name(self) -> str:
        return self.scenario.policy.key.name

    @property
    def full_name(self) -> str:
        return str(self.scenario.policy.key)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """What all policies of a run share."""

    objects: Objects
    price: ReplicaPrice
    starts: tuple[float, ...]
    availability: Availability | None
    files: tuple[FileRead, ...]


def read_surroundings(options: Options, objects: Objects) -> Surroundings:
    """Read the files beside the arrivals.

    Raises:
        CommandError: one of them is not what it should be.
    """
    files = list(objects.files)
    starts: tuple[float, ...] = ()
    availability = None
    if options.start_file:
        starts, file = read_starts(options.start_file)
        files.append(file)
    if options.spot_availability:
        availability = read_availability(options.spot_availability)
        files.append(availability.file)
    return Surroundings(
        objects=objects,
        price=on_demand_price(objects.pools, options.price_per_replica_hour or PRICE),
        starts=starts,
        availability=availability,
        files=tuple(files),
    )


def without_effect(options: Options, around: Surroundings) -> tuple[str, ...]:
    """Notes on options that were given and change nothing."""
    found = []
    if options.price_per_replica_hour is not None and around.price.source != ASSUMED:
        found.append(
            f"--price-per-replica-hour has no effect: the price is that of {around.price.source}"
        )
    if options.notice_seconds is not None and around.availability is None:
        found.append("--notice-seconds has no effect without --spot-availability")
    return tuple(found)


def match_policies(
    policies: Sequence[Policy], names: Collection[str]
) -> tuple[tuple[Policy, str], ...]:
    """Policies with the name that arrivals call them by, in the order of the policies.

    Raises:
        CommandError: a policy has no arrivals, or arrivals have no policy, or not exactly one.
    """
    if not policies:
        raise CommandError("-f holds no InferenceCostPolicy; add one")
    if "" in names:
        if len(policies) > 1:
            known = ", ".join(policy.key.name for policy in policies)
            raise CommandError(
                f"-f holds {len(policies)} policies ({known}): give one, or arrivals of each as "
                "policy,t_s,count"
            )
        return ((policies[0], ""),)
    owners = {name: _owner(name, policies) for name in names}
    by_policy = {policy.key: name for name, policy in owners.items()}
    if len(by_policy) < len(owners):
        raise CommandError("arrivals name a policy twice: with and without its namespace")
    silent = [str(policy.key) for policy in policies if policy.key not in by_policy]
    if silent:
        raise CommandError(
            f"there are no arrivals of policy {silent[0]}; add them, or remove it from -f"
        )
    return tuple((policy, by_policy[policy.key]) for policy in policies)


def _owner(name: str, policies: Sequence[Policy]) -> Policy:
    """The policy that arrivals call by name, or by namespace/name."""
    found = [policy for policy in policies if name in {policy.key.name, str(policy.key)}]
    if not found:
        known = ", ".join(str(policy.key) for policy in policies[:12])
        raise CommandError(f"arrivals of policy {name!r}: there is none in -f (there: {known})")
    if len(found) > 1:
        raise CommandError(
            f"arrivals of policy {name!r}: -f has {len(found)} of that name; write namespace/name"
        )
    return found[0]


def build_case(
    options: Options, around: Surroundings, policy: Policy, traffic: Traffic, origin_seconds: float
) -> Case:
    """The scenario of one policy.

    Raises:
        CommandError: its profile is not known, or it cannot be run like this.
    """
    profile = profile_of(
        policy,
        options.profile,
        around.objects.checkpoints.get(checkpoint_key(policy)),
        lambda one: connect(options.cluster.kubeconfig, options.cluster.context).checkpoint(
            one.key.name, one.key.namespace
        ),
    )
    _require_counted(options, policy, traffic)
    service, stretched, stretch = _stretched(options, policy, profile.service, traffic)
    scenario = Scenario(
        policy=stretched,
        traffic=traffic,
        service=service,
        price_per_hour=around.price.per_hour,
        price_source=around.price.source,
        start_seconds=START_SECONDS if options.start_seconds is None else options.start_seconds,
        start_samples=around.starts,
        metric_lag_seconds=options.metric_lag_seconds,
        scrape_seconds=options.scrape_seconds,
        tick_seconds=max(TICK_SECONDS, options.scrape_seconds),
        missing_fraction=options.missing_percent / 100,
        routing=_routing(options, policy),
        fidelity=Fidelity(options.fidelity.value),
        drain_seconds=options.drain_seconds,
        minimum_billing_seconds=options.minimum_billing_seconds,
        exclude_first_seconds=options.exclude_first_seconds,
        spot=_spot(options, around, traffic, origin_seconds),
        seed=options.seed,
        stretch=stretch,
    )
    return Case(scenario=scenario, profile=profile, price=around.price)


def _require_counted(options: Options, policy: Policy, traffic: Traffic) -> None:
    if traffic.seconds <= options.exclude_first_seconds:
        raise CommandError(
            f"the arrivals of {policy.key} cover {traffic.seconds:.12g} s, of which the first "
            f"{options.exclude_first_seconds:.12g} s do not count; give more, or a smaller "
            "--exclude-first-seconds"
        )


def _routing(options: Options, policy: Policy) -> Routing:
    if options.routing is not None:
        return Routing(options.routing.value)
    balanced = policy.routing is PolicyRouting.LEAST_REQUEST
    return Routing.LEAST_REQUEST if balanced else Routing.RANDOM


def _stretched(
    options: Options, policy: Policy, service: Service, traffic: Traffic
) -> tuple[Service, Policy, float]:
    """Service times and threshold times one factor: `--mean-replicas` at their largest load carry the mean rate."""
    if options.mean_replicas is None:
        return service, policy, 1.0
    objective = policy.objective
    assert isinstance(objective, LatencyObjective)  # noqa: S101 - as read
    load = largest_load(
        service, objective.threshold_seconds, objective.target_fraction, options.seed
    )
    if load <= 0:
        raise CommandError(
            f"{policy.key}: no load meets {objective.threshold_seconds * 1000:g} ms with this profile: "
            "--mean-replicas has nothing to go by; raise spec.slo.latency.thresholdMilliseconds"
        )
    factor = load * options.mean_replicas / traffic.mean_rate
    slower = replace(objective, threshold_seconds=objective.threshold_seconds * factor)
    return service.stretched(factor), replace(policy, objective=slower), factor


def _spot(
    options: Options, around: Surroundings, traffic: Traffic, origin_seconds: float
) -> SpotMarket | None:
    if around.availability is None:
        return None
    return spot_market(
        around.availability,
        spot_prices(around.objects.pools),
        origin_seconds=origin_seconds,
        seconds=traffic.seconds,
        notice_seconds=NOTICE_SECONDS if options.notice_seconds is None else options.notice_seconds,
    )
