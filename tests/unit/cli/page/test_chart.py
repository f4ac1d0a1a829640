"""Charts whose words keep their size: places in percent, nothing outside, nothing hidden."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.cli.page import svg
from inference_cost.cli.page.chart import HEIGHT, Axes, Chart, stairs


def chart(seconds: float = 240, y_max: float = 300) -> Chart:
    return Chart("Load & <capacity>", Axes(seconds=seconds, y_max=y_max))


def test_values_outside_the_axes_stay_in_the_drawing() -> None:
    panel = Axes(seconds=240, y_max=300).panel
    assert (panel.x(-5), panel.x(999)) == (0, svg.WIDTH)
    assert (panel.y(5000), panel.y(-1)) == (0, HEIGHT)


@pytest.mark.parametrize("highest", [0.0, 1e-9, 0.004, 0.17, 1.0, 6.0, 437.0, 5e6])
def test_every_height_has_labels_that_differ(highest: float) -> None:
    drawn = Chart("money", Axes(seconds=60, y_max=highest)).render()
    labels = re.findall(r'class="tick y"[^>]*>([^<]+)<', drawn)
    assert len(labels) >= 2
    assert len(set(labels)) == len(labels)


def test_steps_hold_each_value_until_the_next() -> None:
    assert stairs([(0, 2), (10, 3)]) == [(0, 2), (10, 2), (10, 3)]
    assert stairs([]) == []


def test_text_of_others_is_escaped_and_shapes_are_xml() -> None:
    one = chart()
    one.area([(0, 1), (100, 200)], "c-load", "sent <b>")
    one.shade(0, 60, "not <counted>")
    one.dot(50, 10, "c-ours", 'a "tip" & more', "resnet <1>")
    one.marker(10, 1, "rising <fast>")
    drawn = one.render()
    for text in ("<capacity>", "sent <b>", "<counted>", "<1>", "<fast>", '"tip"'):
        assert text not in drawn
    found = re.search(r"<svg viewBox=\"0 0 1000.*?</svg>", drawn)
    assert found
    ET.fromstring(found[0])  # noqa: S314 - our own text


def test_an_empty_line_draws_nothing() -> None:
    one = chart()
    one.area([], "c-load", "nothing")
    assert one.shapes == []
    assert "nothing" in one.render()


@given(times=st.lists(st.floats(0, 240), max_size=30))
def test_markers_close_together_do_not_hide_each_other(times: list[float]) -> None:
    one = chart()
    for number, at in enumerate(sorted(times)):
        one.marker(at, number, "")
    places = [
        (float(left) * 10, float(top))
        for left, top in re.findall(r'"left:([\d.]+)%;top:([\d.]+)px"', one.render())
    ]
    for i, (x, y) in enumerate(places):
        assert all(abs(x - other) >= 17.8 or y != row for other, row in places[:i])
