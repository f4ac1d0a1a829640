"""A node's price split among its replicas, keyed by a sentence."""

from decimal import Decimal
from typing import Any

import pytest

from inference_cost.account.shares import split_node
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Node, Pod
from tests.unit.account.worlds import node, pod

GIB = 2**30
BIG: dict[str, Any] = {
    "allocatable_gpus": 8,
    "allocatable_cpu_millicores": 96_000,
    "allocatable_memory_bytes": 768 * GIB,
}

SPLITS: dict[str, tuple[Node, list[Pod], list[str], str]] = {
    "a replica with the only GPU pays the whole node": (node(), [pod()], ["4"], "0"),
    "an empty node is all idle": (node(), [], [], "4"),
    "one GPU of eight pays an eighth": (
        node(per_hour="32", **BIG), [pod()], ["4"], "28",
    ),
    "three GPUs of eight, by two replicas": (
        node(per_hour="32", **BIG), [pod("p1"), pod("p2", gpus=2)], ["4", "8"], "20",
    ),
    "a replica that takes half of the CPU pays half, though it has one GPU of eight": (
        node(per_hour="32", **BIG), [pod(cpu_millicores=48_000)], ["16"], "16",
    ),
    "memory can be the dominant resource too": (
        node(per_hour="32", **BIG), [pod(memory_bytes=192 * GIB)], ["8"], "24",
    ),
    "dominant shares that add up to more than one are scaled to the price": (
        node(per_hour="32", **BIG),
        [pod("p1", gpus=8), pod("p2", gpus=0, cpu_millicores=96_000)],
        ["16", "16"],
        "0",
    ),
    "two pods on a one-GPU node during a hand-over pay half each": (
        node(), [pod("p1"), pod("p2")], ["2", "2"], "0",
    ),
    "a GPU pod on a node whose device plugin is down still pays": (
        node(allocatable_gpus=0), [pod()], ["4"], "0",
    ),
    "thirds are rounded down, the rest is idle": (
        node(per_hour="1", allocatable_gpus=3),
        [pod("p1"), pod("p2"), pod("p3")],
        ["0.333333"] * 3,
        "0.000001",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", SPLITS)
def test_split(sentence: str) -> None:
    on, pods, shares, idle = SPLITS[sentence]
    split = split_node(on, pods, "USD")
    assert [split.shares[p.uid] for p in pods] == [Decimal(s) for s in shares]
    assert split.idle == Decimal(idle)


UNKNOWN: dict[str, tuple[Node, Pod, str]] = {
    "no price for the pool": (node(per_hour=None), pod(), "pool a100 has no price"),
    "a price in another currency": (
        node(price=node(per_hour="3").price), pod(), "pool l4 is priced in USD, not in EUR",
    ),
    "a pod that requests nothing": (
        node(per_hour="3"), pod(gpus=0), "pod p1 requests no GPU, CPU or memory: set resources.requests",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", UNKNOWN)
def test_an_unknown_share_is_missing_and_says_why(sentence: str) -> None:
    on, asked, detail = UNKNOWN[sentence]
    currency = "EUR" if "currency" in sentence else "USD"
    share = split_node(on, [asked], currency).shares[asked.uid]
    assert isinstance(share, Missing)
    assert share.detail == detail
