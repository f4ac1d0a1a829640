"""Statistics of one upstream cluster in the exposition that Envoy's `/stats/prometheus` uses.

Names and semantics: Envoy documentation, "Cluster manager statistics". As in Envoy, times are milliseconds,
`upstream_rq_time` has answered requests only (a locally made 503 or 504 counts in `upstream_rq_xx` alone), and
`upstream_rq_total` counts attempts, retries included.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

# Envoy's default buckets; `histogram_bucket_settings` replaces them, as `bounds_milliseconds` does here.
DEFAULT_BOUNDS_MILLISECONDS = (
    *(0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000),
    *(10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000),
)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def bounds_with(*thresholds_milliseconds: float) -> tuple[float, ...]:
    """Envoy's default buckets plus one at each threshold that must be counted exactly."""
    return tuple(sorted({*DEFAULT_BOUNDS_MILLISECONDS, *thresholds_milliseconds}))


class ClusterStats:
    """Counters of one cluster. `cluster_name` is the value of the label `envoy_cluster_name`."""

    def __init__(
        self,
        cluster_name: str,
        bounds_milliseconds: Sequence[float] = DEFAULT_BOUNDS_MILLISECONDS,
    ) -> None:
        if list(bounds_milliseconds) != sorted(set(bounds_milliseconds)):
            raise ValueError("bucket bounds must ascend")
        self.cluster_name = cluster_name
        self.attempts = 0
        self.retries = 0
        self.timeouts = 0
        self.connect_failures = 0
        self.active = 0
        self.pending = 0
        self.healthy_members = 0
        self._bounds = tuple(bounds_milliseconds)
        self._buckets = [0] * (len(self._bounds) + 1)
        self._sum_milliseconds = 0.0
        # All classes exist from the start, else the first error would not show in a rate.
        self._responses = dict.fromkeys("2345", 0)

    def answered(self, status: int, milliseconds: float) -> None:
        """An upstream answered."""
        self.responded(status)
        self._sum_milliseconds += milliseconds
        self._buckets[bisect_left(self._bounds, milliseconds)] += 1

    def responded(self, status: int) -> None:
        """A response went to the client, possibly one made here (no upstream, timeout)."""
        response_class = str(status)[0]
        self._responses[response_class] = self._responses.get(response_class, 0) + 1

    def exposition(self) -> str:
        """Prometheus text format."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield from self._single("counter", "upstream_rq_total", self.attempts)
        yield from self._single("counter", "upstream_rq_retry", self.retries)
        yield from self._single("counter", "upstream_rq_timeout", self.timeouts)
        yield from self._single("counter", "upstream_cx_connect_fail", self.connect_failures)
        yield from self._single("gauge", "upstream_rq_active", self.active)
        yield from self._single("gauge", "upstream_rq_pending_active", self.pending)
        yield from self._single("gauge", "membership_healthy", self.healthy_members)
        yield from self._classes()
        yield from self._histogram()

    def _single(self, kind: str, stat: str, value: int) -> Iterator[str]:
        yield f"# TYPE envoy_cluster_{stat} {kind}"
        yield f"envoy_cluster_{stat}{{{self._label}}} {value}"

    def _classes(self) -> Iterator[str]:
        yield "# TYPE envoy_cluster_upstream_rq_xx counter"
        for response_class, count in self._responses.items():
            label = f'envoy_response_code_class="{response_class}",{self._label}'
            yield f"envoy_cluster_upstream_rq_xx{{{label}}} {count}"

    def _histogram(self) -> Iterator[str]:
        name = "envoy_cluster_upstream_rq_time"
        yield f"# TYPE {name} histogram"
        bounds = [*(f"{bound:.15g}" for bound in self._bounds), "+Inf"]
        for bound, count in zip(bounds, accumulate(self._buckets), strict=True):
            yield f'{name}_bucket{{{self._label},le="{bound}"}} {count}'
        yield f"{name}_sum{{{self._label}}} {self._sum_milliseconds:.15g}"
        yield f"{name}_count{{{self._label}}} {sum(self._buckets)}"

    @property
    def _label(self) -> str:
        return f'envoy_cluster_name="{self.cluster_name}"'
