"""What the dashboards are put together from: queries over what the leader shows, and a few kinds of panels.

Built with Grafana's own typed builders, for the schema of Grafana 11.6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import (
    common,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import DashboardLinkType, DynamicConfigValue
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

PREFIX: Final = "inference_cost_"
TAG: Final = "inference-cost"
DATASOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
SHORT: Final = "10m"  # over which a counter that is recorded once a minute grows steadily
RATE: Final = "[$__rate_interval]"
GREEN, ORANGE, RED, BLUE, GREY = "green", "orange", "red", "blue", "text"

# Units as Grafana names them.
SECONDS, RATIO, PER_SECOND, BYTES, PLAIN, TIME = (
    "s",
    "percentunit",
    "reqps",
    "bytes",
    "short",
    "dateTimeFromNow",
)


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and what the legend says of each of its series."""

    expression: str
    legend: str = ""


def shown(name: str, **matchers: str) -> str:
    """A gauge as whichever replica leads shows it. `matchers`: label="value", or label="~pattern"."""
    return f"max without (instance, pod, node) ({series(name, **matchers)})"


def series(name: str, **matchers: str) -> str:
    full = name if name.startswith("process_") else f"{PREFIX}{name}"
    listed = ", ".join(f"{label}={_matched(value)}" for label, value in matchers.items())
    return f"{full}{{{listed}}}" if listed else full


def _matched(value: str) -> str:
    return f'~"{value[1:]}"' if value.startswith("~") else f'"{value}"'


def total(by: str, expression: str) -> str:
    return f"sum by ({by}) ({expression})"


def counted(name: str, **matchers: str) -> str:
    """A counter of the accounts over all replicas, by its recording rule. `name`: without `_total`."""
    return series(f"{name}_total", **matchers).replace("inference_cost_", "inference_cost:", 1)


def grown(name: str, **matchers: str) -> str:
    """What a counter of the accounts grew by in the time range. `name`: without `_total`."""
    return f"increase({counted(name, **matchers)}[$__range])"


def per_hour(name: str, **matchers: str) -> str:
    """How fast a counter of the accounts grows now. `name`: without `_total`."""
    return f"3600 * rate({counted(name, **matchers)}[{SHORT}])"


Panel = stat.Panel | statetimeline.Panel | table.Panel | timeseries.Panel
P = TypeVar("P", stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel)


def lines(
    title: str,
    text: str,
    *queries: Query,
    unit: str = PLAIN,
    stacked: bool = False,
    dashed: Sequence[str] = (),
    wide: int = 8,
) -> timeseries.Panel:
    """A graph over time. `dashed`: legends of series that are bounds."""
    legend = (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    panel = (
        _begin(timeseries.Panel(), title, text, unit=unit, wide=wide, high=8)
        .min(0)
        .draw_style(GraphDrawStyle.LINE)
        .fill_opacity(25 if stacked else 5)
        .line_width(1)
        .show_points(VisibilityMode.NEVER)
        .legend(legend)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    for name in dashed:
        panel = panel.override_by_name(name, _dashed())
    return _asked(panel, queries, range_query=True)


def number(
    title: str,
    text: str,
    *queries: Query,
    unit: str = PLAIN,
    bad_from: float | None = None,
    bad_below: float | None = None,
    names: Mapping[str, tuple[str, str]] | None = None,
    wide: int = 4,
) -> stat.Panel:
    """The value now. Red from `bad_from` on or below `bad_below`; `names`: text and colour by value."""
    panel = (
        _begin(stat.Panel(), title, text, unit=unit, wide=wide, high=4)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(_thresholds(bad_from, bad_below))
    )
    if names:
        panel = panel.mappings([_mapping(names)])
    return _asked(panel, queries, range_query=False)


def states(
    title: str, text: str, *queries: Query, names: Mapping[str, tuple[str, str]], wide: int = 12
) -> statetimeline.Panel:
    """Bars over time, one for each series; `names`: text and colour by value."""
    panel = (
        _begin(statetimeline.Panel(), title, text, unit=PLAIN, wide=wide, high=8)
        .mappings([_mapping(names)])
        .show_value(VisibilityMode.NEVER)
        .fill_opacity(80)
        .row_height(0.8)
    )
    return _asked(panel, queries, range_query=True)


@dataclass(frozen=True, slots=True)
class Column:
    """One query of a table and the name of its values."""

    name: str
    expression: str
    unit: str = PLAIN


def rows(
    title: str,
    text: str,
    *columns: Column,
    link: tuple[str, str] | None = None,
    hide: Sequence[str] = (),
    wide: int = 24,
) -> table.Panel:
    """A table with the labels of the answers and one column for each query. `link`: column and address."""
    panel = _begin(table.Panel(), title, text, unit=PLAIN, wide=wide, high=8).filterable(True)
    values = (
        [f"Value #{_reference(n)}" for n in range(len(columns))] if len(columns) > 1 else ["Value"]
    )
    renamed = {value: column.name for value, column in zip(values, columns, strict=True)}
    hidden = dict.fromkeys(("Time", *hide), True)
    panel = panel.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
    panel = panel.with_transformation(
        models.DataTransformerConfig(
            id_val="organize", options={"excludeByName": hidden, "renameByName": renamed}
        )
    )
    for column in columns:
        unit = DynamicConfigValue(id_val="unit", value=column.unit)
        panel = panel.override_by_name(column.name, [unit])
    if link is not None:
        address = {"title": "Open", "url": link[1]}
        panel = panel.override_by_name(
            link[0], [DynamicConfigValue(id_val="links", value=[address])]
        )
    for number_, column in enumerate(columns):
        panel = panel.with_target(
            prometheus.Dataquery()
            .expr(column.expression)
            .instant()
            .format(PromQueryFormat.TABLE)
            .ref_id(_reference(number_))
        )
    return panel


def board(title: str, uid: str, text: str, *, hours: int = 6) -> builders.Dashboard:
    """An empty dashboard that asks for its data source and links to the others."""
    source = builders.DatasourceVariable("datasource").label("Data source").type("prometheus")
    link = (
        builders.DashboardLink("Inference cost")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(False)
        .keep_time(True)
    )
    return (
        builders.Dashboard(f"Inference cost / {title}")
        .uid(uid)
        .description(text)
        .tags([TAG])
        .editable()
        .time(f"now-{hours}h", "now")
        .timezone("browser")
        .refresh("1m")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(source)
        .link(link)
    )


def laid_out(
    dashboard: builders.Dashboard, *groups: tuple[str, Sequence[Panel]]
) -> builders.Dashboard:
    """With these rows of panels under their titles, each panel with a number of its own."""
    numbers = count(1)
    for title, panels in groups:
        dashboard = dashboard.with_row(builders.Row(title).id(next(numbers)))
        for panel in panels:
            dashboard = dashboard.with_panel(panel.id(next(numbers)))
    return dashboard


def choice(name: str, label: str, query: str, *, everything: bool) -> builders.QueryVariable:
    """A variable with the values of a label; `everything`: several of them, or all."""
    variable = (
        builders.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query({"query": query, "refId": name})
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )
    if everything:
        all_of_them = models.VariableOption(selected=True, text="All", value="$__all")
        # All: not a list of them, which is empty before the first policy and long with many.
        variable = variable.include_all(True).all_value(".*").multi(True).current(all_of_them)
    return variable


def _begin(panel: P, title: str, text: str, *, unit: str, wide: int, high: int) -> P:
    described = panel.title(title).description(text).datasource(DATASOURCE)
    return described.unit(unit).span(wide).height(high)


def _asked(panel: P, queries: Sequence[Query], *, range_query: bool) -> P:
    for place, query in enumerate(queries):
        target = prometheus.Dataquery().expr(query.expression).ref_id(_reference(place))
        target = target.legend_format(query.legend or "__auto")
        panel = panel.with_target(target.range() if range_query else target.instant())
    return panel


def _reference(place: int) -> str:
    return chr(ord("A") + place)


def _dashed() -> list[DynamicConfigValue]:
    style = {"fill": "dash", "dash": [10, 10]}
    return [
        DynamicConfigValue(id_val="custom.lineStyle", value=style),
        DynamicConfigValue(id_val="custom.fillOpacity", value=0),
        DynamicConfigValue(id_val="custom.stacking", value={"mode": "none"}),
    ]


def _mapping(names: Mapping[str, tuple[str, str]]) -> models.ValueMap:
    return models.ValueMap(
        options={
            value: models.ValueMappingResult(text=text, color=colour, index=place)
            for place, (value, (text, colour)) in enumerate(names.items())
        }
    )


def _thresholds(bad_from: float | None, bad_below: float | None) -> builders.ThresholdsConfig:
    if bad_from is not None:
        steps = [(None, GREEN), (bad_from, RED)]
    elif bad_below is not None:
        steps = [(None, RED), (bad_below, GREEN)]
    else:
        steps = [(None, GREY)]
    listed = [models.Threshold(value=value, color=colour) for value, colour in steps]
    return builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(listed)
