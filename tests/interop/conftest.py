"""One server of ours and one real step-ca for all tests of a process."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.soundness import check, issued_below
from tests.interop.stock import Authority, User, fingerprint_of, step_ca
from tests.live import TOOLS, LiveServer, live_server

_NUMBERS = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "interop" in item.path.parts:
            item.add_marker(pytest.mark.interop)


@pytest.fixture(scope="session", autouse=True)
def every_certificate_is_sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """When all tests are over and all servers have stopped: every certificate that they issued, before independent judges."""
    yield
    check(issued_below(tmp_path_factory.getbasetemp()), tmp_path_factory.mktemp("judged"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A running server of ours, set up as in the tutorial."""
    if not (TOOLS / "step").exists():
        pytest.fail("build/tools/step is missing: run scripts/install-step")
    settings = {"outbound.allow_private": '["127.0.0.0/8", "::1"]', "outbound.ca_file": '"certs/root_ca.crt"'}
    with live_server(tmp_path_factory.mktemp("live"), settings=settings) as running:
        yield running


@pytest.fixture(scope="session")
def oracle(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """A running step-ca that trusts our provider."""
    with step_ca(tmp_path_factory.mktemp("oracle") / "step-ca", server) as running:
        yield running


@pytest.fixture(scope="session")
def ours(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Our CA as the stock `step` sees it."""
    place: Path = tmp_path_factory.mktemp("users")
    return Authority("sealwright", server.machines, fingerprint_of(server), place, server.root, server)


@pytest.fixture(params=["sealwright", "step-ca"])
def authority(request: pytest.FixtureRequest) -> Authority:
    """Our CA, then the real step-ca: the same script runs against both."""
    found: Authority = request.getfixturevalue("ours" if request.param == "sealwright" else "oracle")
    return found


@pytest.fixture
def user(authority: Authority) -> User:
    """A user whose machine trusts the CA."""
    return authority.user(f"user-{next(_NUMBERS)}").bootstrap()
