"""What the guard does is shown with the whole application in test_app.py; here, whose names count
as this machine's."""

from __future__ import annotations

import pytest

from edge.web.guard import is_here, is_loopback, network_of


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True), ("localhost:8040", True), ("127.0.0.1", True), ("127.8.9.1:80", True),
        ("[::1]", True), ("[::1]:8040", True), ("localhost.evil.example", False), ("", False),
        ("127.0.0.1.evil.example:80", False), ("0.0.0.0", False), ("192.168.1.7:8040", False),
        ("localhost@evil.example", False), ("evil.example#localhost", False),
    ],
)  # fmt: skip
def test_a_host_is_this_machine_s_or_another_s(host: str, here: bool) -> None:
    assert is_here(host) == here


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "pi.local", "", "10.0.0.1"])
def test_an_address_that_others_reach_is_no_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("::ffff:192.168.1.7", "192.168.1.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_addresses_that_one_machine_may_take_are_one(host: str, network: str) -> None:
    assert network_of(host) == network
