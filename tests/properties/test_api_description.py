"""The API keeps what its description says: each operation is called with what the description allows, and with what not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from sealwright.api import operations
from tests.api_over_asgi import TOKEN, ApiOverAsgi, api_over_asgi
from tests.unit.api.world import server_world

CONFIGURATION: dict[str, Any] = {
    "seed": 1,
    "headers": {"Authorization": f"Bearer {TOKEN}"},
    "request-timeout": 60,
    "continue-on-failure": True,
    "generation": {"max-examples": 1, "no-shrink": True},
    "phases": {
        "examples": {"enabled": False},
        "coverage": {"unexpected-methods": ["put", "trace"]},
        "stateful": {"generation": {"max-examples": 5}},
    },
    # A schema cannot say which names exist, which passwords are weak and what a rule forbids: such a refusal is no fault.
    "checks": {"positive_data_acceptance": {"enabled": False}},
    # It waits for events that no one makes here; tests/unit/api/test_audit_export.py follows them.
    "operations": [{"include-path": "/api/v1/audit/follow", "enabled": False}],
}


@pytest.fixture
def api() -> Iterator[ApiOverAsgi]:
    with api_over_asgi() as found:
        yield found


async def test_description_is_valid_openapi():
    async with server_world() as world:
        _, document = await world.call("GET", "/openapi.json")
        assert [str(fault)[:300] for fault in OpenAPIV31SpecValidator(document).iter_errors()] == []
        described = {each["operationId"] for path in document["paths"].values() for each in path.values()}
        assert described == {each.name for each in operations(world.api_dependencies)}


@pytest.mark.unmeasured
def test_every_operation_does_what_its_description_says(api):
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", api, config=SchemathesisConfig.from_dict(CONFIGURATION))
    faults: list[str] = []
    calls = succeeded = 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError):
            faults.append(f"{event.label}: {event.value}")
        if isinstance(event, events.ScenarioFinished):
            for case_id, made in event.recorder.interactions.items():
                calls += 1
                succeeded += made.response is not None and made.response.status_code < 300
                faults += [_told(event, case_id, check) for check in event.recorder.checks.get(case_id, ()) if check.failure_info]
    assert faults == []
    assert calls > 3_000
    assert succeeded > 300


def _told(event: events.ScenarioFinished, case_id: str, check: Any) -> str:
    case, response = event.recorder.cases[case_id].value, event.recorder.interactions[case_id].response
    answer = "" if response is None else f"{response.status_code} {response.text[:500]}"
    return f"{check.name} of {case.as_curl_command()}: {check.failure_info.failure.message}\n{answer}"
