"""Numbers of the demo. The README quotes them."""

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from e2e.demo.watch import Fleet
from e2e.rig.models.sleepy import SleepyModel
from e2e.rig.provisioner import NodePool, PoolFile, StaticNode
from e2e.rig.serving import TritonFleet
from e2e.rig.traces import TraceSettings

OUTPUT = Path("build/demo")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """Ten seconds from a `/scale` write to a ready replica: six for the node, the rest for Triton."""

    trace: TraceSettings = field(default_factory=TraceSettings)
    output: Path = OUTPUT
    keep: bool = False
    objective_milliseconds: float = 300.0
    measured_from_seconds: float = 60.0
    timeout_seconds: float = 5.0
    tick_seconds: float = 3.0
    scrape_interval_seconds: float = 2.0
    rate_window_seconds: float = 8.0
    node_boot_seconds: float = 6.0
    empty_node_seconds: float = 10.0
    node_per_hour: Decimal = Decimal("0.8048")  # g6.xlarge (one L4), on demand, list price
    model: SleepyModel = field(default_factory=SleepyModel)
    fleet: Fleet = field(default_factory=lambda: Fleet(name="sleepy", namespace="serving"))
    first_replicas: int = 4
    # Nobody's fleet is born at its daily peak: some traffic comes before second 0, and is not counted.
    warm_up_seconds: float = 30.0
    warm_up_per_second: float = 200.0
    max_replicas: int = 8

    def pools(self) -> PoolFile:
        gpu = NodePool(
            name="gpu-on-demand",
            instance_type="g6.xlarge",
            gpu_product="NVIDIA-L4",
            price_per_hour=self.node_per_hour,
            boot_delay_seconds=self.node_boot_seconds,
        )
        platform = (StaticNode(name="platform-1"), StaticNode(name="platform-2"))
        return PoolFile(pools=(gpu,), static_nodes=platform)

    def triton_fleet(self) -> TritonFleet:
        return TritonFleet(
            name=self.fleet.name,
            namespace=self.fleet.namespace,
            model=self.model,
            replicas=self.first_replicas,
        )
