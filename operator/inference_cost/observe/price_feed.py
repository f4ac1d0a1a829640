"""Asks Prometheus for the prices that Karpenter and OpenCost measure, once in a while."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from inference_cost.model.reading import Missing
from inference_cost.observe.market_prices import (
    MarketPrices,
    karpenter_prices,
    open_cost_prices,
    queries,
    updated,
)
from inference_cost.observe.prometheus_client import Answer, MetricsReader
from inference_cost.observe.settings import PriceSettings, PrometheusSettings

_LOG = logging.getLogger(__name__)
MOST_SECONDS = 2.0  # the tick waits for the answers
DOLLARS = "USD"  # Karpenter's prices; they are of no use where another currency is


class PriceFeed:
    """`prices` is what is known. A source that fails or is not there leaves it as it is."""

    def __init__(
        self,
        reader: MetricsReader,
        *,
        prometheus: PrometheusSettings,
        settings: PriceSettings,
        currency: str,
    ) -> None:
        self._reader = reader
        self._prometheus = prometheus
        self._settings = settings
        self._currency = currency
        self._due = 0.0
        self._jumps: dict[str, str] = {}
        self.prices = MarketPrices()

    async def refresh(
        self, now: float, instance_types: Iterable[str], *, answering: bool = True
    ) -> None:
        """Ask again when it is time, of a Prometheus that answers.

        What is not answered soon is asked next time; what was known stays for a while.
        """
        if now < self._due:
            return
        if not answering:
            self._take({}, now)
            return
        self._due = now + self._settings.refresh_seconds
        asked = queries(
            instance_types,
            matchers=self._prometheus.matchers,
            karpenter=self._settings.karpenter and self._currency == DOLLARS,
            open_cost=self._settings.open_cost,
        )
        answers = await asyncio.gather(*(self._ask(promql) for promql in asked.values()))
        self._take(dict(zip(asked, answers, strict=True)), now)

    async def _ask(self, promql: str) -> Answer | Missing | None:
        try:
            return await asyncio.wait_for(
                self._reader.query(promql, at=None),
                min(self._prometheus.query_timeout_seconds, MOST_SECONDS),
            )
        except TimeoutError:
            return None

    def _take(self, answers: Mapping[str, Answer | Missing | None], now: float) -> None:
        """What is not answered gets old all the same."""
        told = {name: a.result for name, a in answers.items() if isinstance(a, Answer)}
        offerings = karpenter_prices(told.get("karpenter", ()))
        nodes = open_cost_prices(told.get("open_cost", ()), self._currency)
        self.prices = MarketPrices(
            offerings=updated(self.prices.offerings, offerings, now=now),
            nodes=updated(self.prices.nodes, nodes, now=now),
        )
        self._tell_jumps()

    def _tell_jumps(self) -> None:
        """Each once."""
        jumps = self.prices.jumps
        for what in sorted(jumps.keys() - self._jumps.keys()):
            _LOG.warning("price_jump_held", extra={"offering": what, "price": jumps[what]})
        self._jumps = jumps
