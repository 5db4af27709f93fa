"""Every route, and the error format of every wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from sealwright import api, ca, oauth, web
from sealwright.access import RouteGuard
from sealwright.api.assistants import AssistantDependencies, AssistantEndpoint
from sealwright.app.one_transaction import within_one_transaction
from sealwright.http import FailureAnswer, Listener, Route, Wire
from sealwright.runtime.routing import RouteTable

if TYPE_CHECKING:
    from sealwright.app.wiring import Parts


class Served(Struct, frozen=True):
    """What the listeners answer with."""

    routes: tuple[Route, ...]
    failures: Mapping[Wire, FailureAnswer]


def serve_all(parts: Parts) -> Served:
    """The routes of all wires, from the parts that answer them."""
    pages = web.build_web(
        web.Site(parts.around.settings.name, parts.urls[Listener.PEOPLE], parts.around.settings.contact),
        _web_dependencies(parts),
        clock=parts.around.clock,
        entropy=parts.around.entropy,
    )
    failures = {
        Wire.PAGE: pages.answer_failure,
        Wire.OAUTH: oauth.answer_failure,
        Wire.STEP: ca.answer_failure,
        Wire.API: api.answer_failure,
    }
    called = api_dependencies(parts)
    operations = api.routes(called)
    tools = AssistantEndpoint(_assistants(parts, called, operations)).routes()
    return Served((*parts.oauth.routes, *parts.ca.routes, *operations, *tools, *pages.routes), failures)


def _assistants(parts: Parts, called: api.ApiDependencies, operations: Iterable[Route]) -> AssistantDependencies:
    settings = parts.around.settings.assistants
    return AssistantDependencies(
        db=parts.around.db,
        clock=parts.around.clock,
        entropy=parts.around.entropy,
        authenticator=api.authenticator_of(called),
        discovery=parts.oauth.discovery,
        find=RouteTable(operations).find,
        origin=parts.urls[Listener.PEOPLE],
        enabled=settings.enabled,
        allow_changes=settings.allow_changes,
    )


def _web_dependencies(parts: Parts) -> web.WebDependencies:
    people = parts.identity
    return web.WebDependencies(
        sign_in=people.sign_in,
        sessions=people.sessions,
        guard=RouteGuard(parts.around.db, parts.audit),
        devices=people.devices,
        credentials=people.credentials,
        directory=people.directory,
        roles=people.roles,
        account_policies=people.account_policies,
        recycle_bin=people.recycle_bin,
        api_keys=people.api_keys,
        api_tokens=people.api_tokens,
        bootstrap=people.bootstrap,
        reset_links=people.reset_links,
        invitations=people.invitations,
        passkeys=people.passkeys,
        upstream_providers=parts.upstream_providers,
        sign_on=parts.sign_on,
        upstream_logout=parts.upstream_logout,
        break_glass=people.break_glass,
        emergencies_by_network=parts.oauth_dependencies.budgets.emergencies_by_network,
        sign_in_records=parts.sign_in_records,
        sign_ons_by_network=parts.oauth_dependencies.budgets.authorizations_by_network,
        mail_addresses=people.mail_addresses,
        outbox=parts.outbox,
        authorization=parts.oauth.authorization,
        step_response=parts.oauth.step_response,
        logout=parts.oauth.logout,
        backchannel_logout=parts.oauth.backchannel_logout,
        consents=parts.oauth.consents,
        client_images=parts.oauth.clients.images,
        clients=parts.oauth.clients,
        trusted_issuers=parts.oauth.trusted_issuers,
        assertion_explanations=parts.oauth.assertion_explanations,
        inventory=parts.ca.inventory,
        revocation=parts.ca.revocation,
        previews=parts.ca.previews,
        approvals=parts.approvals,
        issuers=parts.ca.issuers,
        certificate_lists=parts.ca.lists,
        profiles=parts.ca.profiles,
        provisioners=parts.ca.provisioners,
        audit=parts.audit,
        forwarding=parts.forwarding,
        db=parts.around.db,
        settings=parts.around.settings,
        machines_url=parts.urls[Listener.MACHINES],
    )


def api_dependencies(parts: Parts) -> api.ApiDependencies:
    """What the operations of the API call."""
    people, authority = parts.identity, parts.ca
    return api.ApiDependencies(
        db=parts.around.db,
        clock=parts.around.clock,
        facts=api.ServerFacts(
            name=parts.around.settings.name,
            people_url=parts.urls[Listener.PEOPLE],
            machines_url=parts.urls[Listener.MACHINES],
            status_url=parts.urls[Listener.STATUS],
        ),
        directory=people.directory,
        api_tokens=people.api_tokens,
        api_keys=people.api_keys,
        api_access=parts.oauth.api_access,
        account_policies=people.account_policies,
        recycle_bin=people.recycle_bin,
        credentials=people.credentials,
        passkeys=people.passkeys,
        invitations=people.invitations,
        imports=people.imports,
        mail_addresses=people.mail_addresses,
        reset_links=people.reset_links,
        outbox=parts.outbox,
        sessions=people.sessions,
        sign_in=people.sign_in,
        first_administrator=people.first_administrator,
        emergencies_by_network=parts.oauth_dependencies.budgets.emergencies_by_network,
        roles=people.roles,
        upstream_providers=parts.upstream_providers,
        own_provider=oauth.OwnProvider(
            parts.oauth_dependencies, parts.oauth.clients, parts.upstream_providers, parts.around.settings.name
        ),
        sign_in_records=parts.sign_in_records,
        clients=parts.oauth.clients,
        client_maps=parts.oauth.client_maps,
        oauth_issuers=parts.oauth.issuers,
        registration_tokens=parts.oauth.registration_tokens,
        trusted_issuers=parts.oauth.trusted_issuers,
        assertion_explanations=parts.oauth.assertion_explanations,
        issuers=authority.issuers,
        profiles=authority.profiles,
        provisioners=authority.provisioners,
        inventory=authority.inventory,
        revocation=authority.revocation,
        signing=authority.signing,
        previews=authority.previews,
        approvals=parts.approvals,
        approval_rules=parts.approval_rules,
        audit=parts.audit,
        checkpoints=parts.checkpoints,
        forwarding=parts.forwarding,
        custody=parts.around.custody,
        client_metadata=oauth.StoredMetadata(parts.oauth_dependencies),
        request_counts=parts.around.request_counts,
        within_one_transaction=partial(within_one_transaction, parts),
    )
