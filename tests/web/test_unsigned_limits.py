"""Whose request counts against whose budget."""

import pytest

from tintype.web.unsigned_limits import client_network


def asked(client: str, *forwarded: str, proxies: int = 0) -> str:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return client_network({"client": (client, 4711), "headers": headers}, proxies)


def test_without_proxies_of_ours_the_header_is_not_believed() -> None:
    assert asked("192.0.2.1", "198.51.100.7") == "192.0.2.1"


@pytest.mark.parametrize(
    ("lines", "proxies", "who"),
    [
        (["198.51.100.7"], 1, "198.51.100.7"),
        (["203.0.113.5, 198.51.100.7"], 1, "198.51.100.7"),  # the first was written by the client itself
        (["203.0.113.5, 198.51.100.7"], 2, "203.0.113.5"),
        (["203.0.113.5", "198.51.100.7"], 2, "203.0.113.5"),
        (["198.51.100.7"], 3, "198.51.100.7"),
        ([], 1, "192.0.2.1"),
        ([""], 1, "192.0.2.1"),
        (["not an address"], 1, "192.0.2.1"),
    ],
)
def test_behind_proxies_the_last_address_that_they_saw_counts(
    lines: list[str], proxies: int, who: str
) -> None:
    assert asked("192.0.2.1", *lines, proxies=proxies) == who


def test_the_addresses_of_one_ipv6_customer_count_as_one() -> None:
    assert asked("2001:db8:1:2:3:4:5:6") == asked("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert asked("2001:db8:1:3::1") != asked("2001:db8:1:2::1")


def test_an_ipv4_address_is_one_however_it_comes() -> None:
    assert asked("::ffff:192.0.2.1") == asked("192.0.2.1")


def test_a_server_that_tells_no_address_has_one_budget_for_all() -> None:
    assert client_network({"client": None, "headers": []}, 0) == ""
