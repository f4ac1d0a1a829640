"""The pools of a cluster as a table, JSON or objects."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import typer

from inference_cost.cli import rendering
from inference_cost.cli.cluster import Cluster
from inference_cost.cli.failure import CommandError
from inference_cost.cli.listing import Where, list_all
from inference_cost.cli.pools.objects import as_yaml
from inference_cost.cli.pools.output import Output
from inference_cost.cli.pools.seen import Pool, Price, by_offering, pools_of
from inference_cost.model.money import HourlyPrice
from inference_cost.observe.capacity_pools import PriceBook
from inference_cost.observe.extract import capacity_pool_record, node_record
from inference_cost.observe.fields import mapping
from inference_cost.observe.kinds import POD
from inference_cost.observe.nodes import has_gpus
from inference_cost.observe.prices import shipped_table


def show(
    cluster: Cluster, *, every: bool, currency: str, namespace: str | None, output: Output
) -> None:
    """Print them, or those that pods of a namespace run on; warnings go to stderr.

    Raises:
        CommandError: not allowed or not reachable.
    """
    records = [node_record(node) for node in cluster.nodes()]
    declared = [capacity_pool_record(pool) for pool in cluster.capacity_pools()]
    book = PriceBook(declared, table=shipped_table(), currency=currency)
    seen = pools_of([r for r in records if every or has_gpus(r)], book)
    if namespace is not None:
        seen = _under(seen, _nodes_under(cluster, namespace))
    for warning in _warnings(book, seen):
        typer.echo(f"warning: {warning}", err=True)
    match output:
        case Output.YAML:
            typer.echo(as_yaml(seen), nl=False)
        case Output.JSON:
            typer.echo(rendering.as_json([_json(pool) for pool in seen]))
        case Output.TEXT:
            rows = [_cells(pool) for pool in seen]
            typer.echo(rendering.table(rows) or _none(namespace))


def _none(namespace: str | None) -> str:
    if namespace is not None:
        return f"No pod of namespace {namespace} runs on a node with GPUs; -A shows all pools."
    return "No nodes with GPUs; --all shows all nodes."


def _nodes_under(cluster: Cluster, namespace: str) -> frozenset[str]:
    found = list_all(cluster, POD, Where(namespace=namespace, everywhere=False))
    if found.unread is not None:
        raise CommandError(f"{found.unread.why}: {found.unread.fix}")
    return frozenset(str(mapping(pod.get("spec")).get("nodeName") or "") for pod in found.items)


def _under(pools: Sequence[Pool], nodes: frozenset[str]) -> list[Pool]:
    return [pool for pool in pools if any(node.record.name in nodes for node in pool.nodes)]


def _warnings(book: PriceBook, seen: Sequence[Pool]) -> Iterator[str]:
    for name, problem in sorted(book.problems.items()):
        yield f"CapacityPool/{name} is not used: {problem}"
    rows = Counter(pool.name for pool in seen if pool.declared)
    for name in sorted(name for name, count in rows.items() if count > 1):
        yield (
            f"CapacityPool/{name} binds nodes of several accelerators, capacity types or node pools; name one of each "
            "in spec.nodeSelector.matchLabels"
        )


def _cells(pool: Pool) -> dict[str, str]:
    return {
        "name": pool.name,
        "from": "CapacityPool" if pool.declared else "labels",
        "capacity": pool.capacity.value if pool.capacity_known else f"{pool.capacity}?",
        "gpu": pool.gpu_product,
        "nodes": str(len(pool.nodes)),
        "gpus": str(pool.gpus),
        "zones": ",".join(pool.zones),
        "price/h": _range([node.price for node in pool.nodes]),
        "priced": _sources([node.price for node in pool.nodes]),
    }


def _range(prices: list[Price]) -> str:
    """Lowest to highest; a question mark where some are not known."""
    known = sorted({price.per_hour for price in prices if isinstance(price, HourlyPrice)})
    if not known:
        return "unknown"
    text = f"{known[0]:f}" if len(known) == 1 else f"{known[0]:f}-{known[-1]:f}"
    return text if all(isinstance(price, HourlyPrice) for price in prices) else f"{text}, ?"


def _sources(prices: list[Price]) -> str:
    told = {f"{p.origin}, {_date(p)}" for p in prices if isinstance(p, HourlyPrice)}
    return "; ".join(sorted(told))


def _date(price: HourlyPrice) -> str:
    return datetime.fromtimestamp(price.as_of, UTC).date().isoformat()


def _json(pool: Pool) -> dict[str, Any]:
    return {
        "name": pool.name,
        "declared": pool.declared,
        "capacityType": pool.capacity.value,
        "capacityTypeKnown": pool.capacity_known,
        "gpuProduct": pool.gpu_product,
        "matchLabels": dict(pool.selector),
        "overlaps": list(pool.overlaps),
        "nodes": len(pool.nodes),
        "gpus": pool.gpus,
        "offerings": [
            {"instanceType": instance_type, "zone": zone, **_price_json(price)}
            for (instance_type, zone), price in by_offering(pool).items()
        ],
    }


def _price_json(price: Price) -> dict[str, str | None]:
    if not isinstance(price, HourlyPrice):
        return {"perNodeHour": None, "why": price.detail}
    return {
        "perNodeHour": f"{price.per_hour:f}",
        "currency": price.currency,
        "source": price.source.value,
        "origin": price.origin,
        "asOf": _date(price),
    }
