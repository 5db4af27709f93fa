"""Taking addresses: free ports, names with several addresses, and refusals that say what to do."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sealwright.http import Listener
from sealwright.runtime.listeners import AddressRefused, Bound, ListenAddress, bind, urls


def address(host: str, port: int = 0, listener: Listener = Listener.PEOPLE) -> ListenAddress:
    return ListenAddress(listener, host, port, tls=True, said_in="/srv/settings.toml, line 4")


@contextmanager
def bound(*addresses: ListenAddress, workers: int = 1) -> Iterator[tuple[Bound, ...]]:
    taken = bind(addresses, workers)
    try:
        yield taken
    finally:
        for each in taken:
            each.close()


def refusal(*addresses: ListenAddress) -> AddressRefused:
    with pytest.raises(AddressRefused) as refused, bound(*addresses):
        pass
    return refused.value


def test_free_port_is_the_same_for_all_workers_and_all_addresses_of_a_name() -> None:
    with bound(address("localhost"), workers=3) as (taken,):
        places = {each.getsockname()[:2] for group in taken.sockets for each in group}
        assert {port for _, port in places} == {taken.port}
        assert ("127.0.0.1", taken.port) in places
        assert len(taken.sockets) == 3
        assert urls([taken]) == {Listener.PEOPLE: f"https://localhost:{taken.port}"}


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_empty_host_is_every_address(family: socket.AddressFamily) -> None:
    with bound(address("")) as (taken,):
        families = {each.family for group in taken.sockets for each in group}
        if family not in families:
            pytest.skip("this machine does not have that kind of address")
        host = "127.0.0.1" if family == socket.AF_INET else "::1"
        with socket.create_connection((host, taken.port), timeout=5) as connection:
            assert connection.getpeername()[1] == taken.port


def test_worker_keeps_its_own_sockets_when_it_lets_go_of_the_others() -> None:
    with bound(address("127.0.0.1"), workers=2) as (taken,):
        taken.close(except_worker=1)
        assert [[each.fileno() >= 0 for each in group] for group in taken.sockets] == [[False], [True]]


def test_port_of_another_listener_of_ours_is_told_as_such() -> None:
    with bound(address("127.0.0.1")) as (taken,):
        refused = refusal(address("127.0.0.1", taken.port, Listener.MACHINES))
    assert refused.detail == f"https://127.0.0.1:{taken.port} is taken by another listener of this server."
    assert proposed(refused, "machines")[0] == "127.0.0.1"
    assert refused.hint.endswith("  in /srv/settings.toml, line 4.")


def proposed(refused: AddressRefused, listener: str) -> tuple[str, int]:
    """Host and port that the hint names."""
    found = re.match(r'Choose another with  \[listen\] (\w+) = "(.+):(\d+)"', refused.hint)
    assert found is not None
    assert found[1] == listener
    return found[2], int(found[3])


def test_port_that_is_proposed_is_free_and_of_no_other_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        alone = refusal(address("127.0.0.1", port))
        _, next_one = proposed(alone, "people")
        refused = refusal(address("127.0.0.1", port), address("127.0.0.1", next_one, Listener.MACHINES))
        host, after = proposed(refused, "people")
        assert (host, after != next_one, after != port) == ("127.0.0.1", True, True)
        with bound(address("127.0.0.1", after)):
            pass


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_host_that_is_refused_is_not_proposed_again(host: str) -> None:
    assert proposed(refusal(address(host, 21_543)), "people") == ("localhost", 21_543)


def test_wildcard_of_another_program_is_noticed() -> None:
    with socket.create_server(("", 0)) as other:
        port = other.getsockname()[1]
        assert "is taken by" in refusal(address("127.0.0.1", port)).detail


def test_nothing_is_kept_when_one_address_is_refused() -> None:
    with bound(address("127.0.0.1")) as (free,):
        port = free.port
    with socket.create_server(("127.0.0.1", 0)) as other:
        refusal(address("127.0.0.1", port), address("127.0.0.1", other.getsockname()[1], Listener.MACHINES))
        with bound(address("127.0.0.1", port)) as (taken,):
            assert taken.port == port


def test_address_of_another_machine_is_refused() -> None:
    refused = refusal(address("192.0.2.1", 8443))
    assert refused.detail == "https://192.0.2.1:8443 is not an address of this machine."


def test_host_that_has_no_address_is_refused() -> None:
    refused = refusal(address("no-such-host.invalid", 8443))
    assert refused.detail.startswith("The host no-such-host.invalid ")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may take any port")
def test_privileged_port_is_refused_with_the_reason() -> None:
    assert "privilege" in refusal(address("127.0.0.1", 443)).detail
