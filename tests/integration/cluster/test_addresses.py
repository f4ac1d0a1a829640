"""Pod addresses, their loopback twins, and ranges and ports that two clusters never share."""

import re
import socket
import subprocess
import sys
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e.rig.addresses import (
    AddressError,
    PodRange,
    claim_pod_range,
    loopback_address,
    pod_address,
)
from e2e.rig.ports import PortClaims
from e2e.rig.supervisor import REPOSITORY

OCTETS = st.integers(0, 255)


@given(OCTETS, OCTETS, OCTETS)
def test_a_pod_and_its_loopback_address_map_to_each_other(a: int, b: int, c: int) -> None:
    assert loopback_address(f"10.{a}.{b}.{c}") == f"127.{a}.{b}.{c}"
    assert pod_address(loopback_address(f"10.{a}.{b}.{c}")) == f"10.{a}.{b}.{c}"


@pytest.mark.parametrize("wrong", ["127.0.0.1", "192.168.1.1", "10.1", "", "::1"])
def test_an_address_that_is_no_pod_address_is_refused(wrong: str) -> None:
    with pytest.raises(AddressError, match="not in 10"):
        loopback_address(wrong)


def test_process_pods_start_above_the_rigs_own_addresses() -> None:
    addresses = list(islice(PodRange(octet=77).process_pod_addresses(), 600))
    assert addresses[0] == "10.77.1.1"
    assert len(set(addresses)) == 600
    assert PodRange(octet=77).node_address not in addresses


def test_the_relabeling_pattern_does_what_the_function_does() -> None:
    pods = PodRange(octet=77)
    match = re.fullmatch(pods.loopback_pattern, "10.77.1.9")
    assert match
    assert pods.loopback_replacement.replace("$1", match[1]) == loopback_address("10.77.1.9")
    assert re.fullmatch(pods.loopback_pattern, "10.78.1.9") is None


def test_a_range_is_held_until_released_and_by_one_process_at_a_time() -> None:
    first, second = claim_pod_range(), claim_pod_range()
    try:
        assert first.pods != second.pods
        assert other_process_claims() not in {first.pods.octet, second.pods.octet}
    finally:
        first.release()
        second.release()


def other_process_claims() -> int:
    program = "from e2e.rig.addresses import claim_pod_range as c; print(c().pods.octet)"
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return int(answer.stdout)


def test_ports_are_free_and_claimed_once() -> None:
    one, two = PortClaims(), PortClaims()
    try:
        ports = [one.claim() for _ in range(50)] + [two.claim() for _ in range(50)]
        assert len(set(ports)) == 100
        for port in ports:
            with socket.create_server(("127.0.0.1", port)):
                pass
    finally:
        one.release()
        two.release()
