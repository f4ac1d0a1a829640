"""Which endpoints of an EndpointSlice take requests, and how watch events change them."""

from typing import Any

import pytest

from e2e.rig.endpoints import apply_event, ready_addresses

Json = dict[str, Any]


def endpoint_slice(*endpoints: Json, name: str = "triton-a", port_name: str = "http") -> Json:
    ports = [{"name": "metrics", "port": 8002}, {"name": port_name, "port": 8000}]
    return {"metadata": {"name": name}, "ports": ports, "endpoints": list(endpoints)}


def endpoint(address: str = "10.64.1.1", **conditions: bool | None) -> Json:
    return {"addresses": [address], "conditions": conditions}


CASES = {
    "ready": (endpoint(ready=True, serving=True, terminating=False), True),
    "ready unknown, which is to be read as ready": (endpoint(ready=None), True),
    "no conditions at all": ({"addresses": ["10.64.1.1"]}, True),
    "not ready yet": (endpoint(ready=False, serving=False, terminating=False), False),
    "terminating but still serving": (endpoint(ready=False, serving=True, terminating=True), False),
    "terminating, published although not ready": (endpoint(ready=True, terminating=True), False),
}


@pytest.mark.parametrize(("given", "taken"), CASES.values(), ids=CASES)
def test_an_endpoint_takes_requests(given: Json, taken: bool) -> None:
    expected = {("10.64.1.1", 8000)} if taken else set()
    assert ready_addresses([endpoint_slice(given)], "http") == expected


def test_another_port_name_is_another_port() -> None:
    assert ready_addresses([endpoint_slice(endpoint(ready=True))], "metrics") == {
        ("10.64.1.1", 8002)
    }
    assert ready_addresses([endpoint_slice(endpoint(ready=True))], "grpc") == frozenset()


def test_all_slices_of_a_service_count() -> None:
    slices = [
        endpoint_slice(endpoint("10.64.1.1", ready=True), name="a"),
        endpoint_slice(endpoint("10.64.1.2", ready=True), name="b"),
    ]
    assert {host for host, _ in ready_addresses(slices, "http")} == {"10.64.1.1", "10.64.1.2"}


@pytest.mark.parametrize("empty", [{"ports": None}, {"endpoints": None}], ids=str)
def test_a_slice_without_ports_or_endpoints_is_empty(empty: Json) -> None:
    given = endpoint_slice(endpoint(ready=True)) | empty
    assert ready_addresses([given], "http") == frozenset()


def test_events_add_replace_and_delete() -> None:
    slices: dict[str, Json] = {}
    first, second = endpoint_slice(endpoint("10.64.1.1")), endpoint_slice(endpoint("10.64.1.2"))
    assert apply_event(slices, {"type": "ADDED", "object": first})
    assert apply_event(slices, {"type": "MODIFIED", "object": second})
    assert slices == {"triton-a": second}
    assert apply_event(slices, {"type": "DELETED", "object": second})
    assert slices == {}


def test_an_expired_watch_asks_for_a_new_list() -> None:
    expired = {"type": "ERROR", "object": {"kind": "Status", "code": 410}}
    assert not apply_event({}, expired)
