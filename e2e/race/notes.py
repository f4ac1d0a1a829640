"""How it was measured, and what was done for fairness, in sentences for the page."""

from e2e.demo.settings import DemoSettings
from e2e.race.settings import (
    DEFAULT_WINDOW_SECONDS,
    FASTER_LOOPS,
    FASTER_WAITS,
    POLLING_SECONDS,
    RATE_SECONDS,
    START_SECONDS,
    SYNC_SECONDS,
)


def notes(settings: DemoSettings) -> tuple[str, ...]:
    return (*_of_the_stage(settings), _of_time(settings), *_OF_KNOWLEDGE)


def _of_the_stage(settings: DemoSettings) -> tuple[str, ...]:
    world = (
        f"Real kube-apiserver, scheduler, HPA controller, Prometheus and Triton as local processes. GPU nodes "
        f"boot in {settings.node_boot_seconds:g} s, stay {settings.empty_node_seconds:g} s after their last "
        f"pod and cost ${settings.node_per_hour} per hour from boot to end. A replica serves about "
        f"{START_SECONDS:g} s after it was ordered."
    )
    shared = (
        f"The same for each: arrivals, model, nodes, load balancer, {settings.first_replicas} replicas at the "
        f"start, 1 to {settings.max_replicas} replicas, the objective of 99 % within "
        f"{settings.objective_milliseconds:g} ms, and {settings.warm_up_seconds:g} s of "
        f"{settings.warm_up_per_second:g} requests/s before second 0."
    )
    counted = (
        f"Latencies are the client's, from the scheduled send time, for requests sent from second "
        f"{settings.measured_from_seconds:g} on; an error or a timeout is late. Dollars and replicas are of "
        "the whole load."
    )
    return world, shared, counted


def _of_time(settings: DemoSettings) -> str:
    return (
        f"Metrics come every {settings.scrape_interval_seconds:g} s, in an ordinary cluster every 15 s, so "
        f"loops and windows of rates are {FASTER_LOOPS:g} times as fast: the HPA syncs every {SYNC_SECONDS} s "
        f"on rates over {RATE_SECONDS} s, KEDA polls every {POLLING_SECONDS} s; this operator decides every "
        f"{settings.tick_seconds:g} s on rates over {settings.rate_window_seconds:g} s. A start takes "
        f"{START_SECONDS:g} s instead of 180 s, so stabilization windows and the periods of llm-d's guide are "
        f"{FASTER_WAITS:g} times as short: 300 s are {DEFAULT_WINDOW_SECONDS} s."
    )


_OF_KNOWLEDGE = (
    (
        "KEDA tuned: the threshold and the window that are cheapest within the objective in the simulator, on "
        "these very arrivals and with starts of 8, 10 and 12 s alike; nobody can know them beforehand. KEDA "
        "default: 70 % of what a replica carries within the objective, which takes a load test to know. This "
        "operator is given neither."
    ),
    (
        "One play each: chance alone moves the cost by some percent from play to play, and one machine carries "
        "everything, the contestant's own processes included; its load is in the table."
    ),
)
