"""Where a scan reads traffic and market prices from: the Prometheus that was named, or one found in the cluster."""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from inference_cost.cli.cluster import Cluster
from inference_cost.cli.failure import CommandError
from inference_cost.cli.listing import Unread, Where, list_all
from inference_cost.cli.prometheus import Prometheus
from inference_cost.cli.prometheus_access import PrometheusAccess
from inference_cost.cli.scan.port_forward import Service, forwarded, likely, parse_service
from inference_cost.observe.kinds import SERVICE
from inference_cost.observe.market_prices import (
    MarketPrices,
    karpenter_prices,
    open_cost_prices,
    queries,
    updated,
)
from inference_cost.observe.prices import TABLE_CURRENCY


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A Prometheus that answered."""

    access: PrometheusAccess
    prometheus: Prometheus


NO_PROMETHEUS: Final = Unread(
    what="traffic",
    why="no service that you may see looks like a Prometheus",
    fix="give --prometheus-url, or --prometheus-service NAMESPACE/NAME:PORT",
)


@contextmanager
def source_of(
    cluster: Cluster,
    where: Where,
    access: PrometheusAccess,
    service: str,
    forward: tuple[str, ...],
) -> Iterator[Source | Unread]:
    """Without any the rest is told all the same. `forward`: kubectl's own --kubeconfig and --context.

    Raises:
        CommandError: an option is wrong.
    """
    if access.url:
        yield _asked(access)
        return
    chosen = parse_service(service) if service else _found(cluster, where)
    if chosen is None:
        yield NO_PROMETHEUS
        return
    with _reached(chosen, access, forward) as source:
        yield source


def _found(cluster: Cluster, where: Where) -> Service | None:
    return next(iter(likely(list_all(cluster, SERVICE, where).items)), None)


@contextmanager
def _reached(
    service: Service, access: PrometheusAccess, forward: tuple[str, ...]
) -> Iterator[Source | Unread]:
    with ExitStack() as held:
        try:
            url = held.enter_context(forwarded(service, forward))
        except CommandError as error:
            yield _unreachable(error)
            return
        yield _asked(replace(access, url=url))


def _asked(access: PrometheusAccess) -> Source | Unread:
    """Asked once, so that a wrong address is told once."""
    prometheus = Prometheus(access)
    try:
        prometheus.at("time()", time.time())
    except CommandError as error:
        return _unreachable(error)
    return Source(access=access, prometheus=prometheus)


def _unreachable(error: CommandError) -> Unread:
    return Unread(
        what="traffic", why=str(error), fix="give the --prometheus-url of a Prometheus that answers"
    )


def market_prices(
    source: Source, instance_types: Iterable[str], currency: str, now: float
) -> MarketPrices:
    """What Karpenter and OpenCost measure; nothing where they are not scraped, or cannot be asked."""
    asked = queries(
        instance_types,
        matchers=source.prometheus.settings.matchers,
        karpenter=currency == TABLE_CURRENCY,
        open_cost=True,
    )
    try:
        told = {name: source.prometheus.at(query, now) for name, query in asked.items()}
    except CommandError:
        return MarketPrices()
    offerings = karpenter_prices(told.get("karpenter", ()))
    nodes = open_cost_prices(told.get("open_cost", ()), currency)
    return MarketPrices(
        offerings=updated({}, offerings, now=now), nodes=updated({}, nodes, now=now)
    )
