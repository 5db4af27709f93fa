"""The parts of the authorization server, put together."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from sealwright.access import NamedAuthorities
from sealwright.ca import ClientCertificates
from sealwright.http import Route
from sealwright.identity import browser_authenticator, terminal_authenticator
from sealwright.keys import Custody, Sealer
from sealwright.oauth.access_tokens import AccessTokens
from sealwright.oauth.api_access import ApiAccess
from sealwright.oauth.authorization_requests import AuthorizationRequests
from sealwright.oauth.authorize import AuthorizationEndpoint
from sealwright.oauth.browser_http import BrowserEndpoints, FormPostPage, StepResponse, browser_routes, step_responses
from sealwright.oauth.certificate_access import CertificateAccess
from sealwright.oauth.client_authentication import ClientAuthentication
from sealwright.oauth.client_authentication.key_sets import ClientKeySets
from sealwright.oauth.clients.maps import ClientMaps
from sealwright.oauth.clients.registry import ClientRegistry
from sealwright.oauth.confirmations import Confirmations
from sealwright.oauth.consents import Consents
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.device.endpoint import DeviceEndpoint
from sealwright.oauth.device.requests import DeviceRequests
from sealwright.oauth.discovery import Discovery
from sealwright.oauth.dpop.proofs import DpopProofs
from sealwright.oauth.grants import GrantDependencies
from sealwright.oauth.http import Endpoints, routes
from sealwright.oauth.id_token_status import IdTokenStatus
from sealwright.oauth.introspection import IntrospectionEndpoint
from sealwright.oauth.issuers.registry import IssuerRegistry
from sealwright.oauth.logout.backchannel import BackchannelLogout
from sealwright.oauth.logout.endpoint import LogoutEndpoint
from sealwright.oauth.lookups import IdentityLookups, PeopleLookup, SessionLookup
from sealwright.oauth.opaque_tokens import OpaqueTokens
from sealwright.oauth.pending import PendingRequests
from sealwright.oauth.pushed.endpoint import PushEndpoint
from sealwright.oauth.pushed.requests import PushedRequests
from sealwright.oauth.registration.endpoint import RegistrationEndpoint
from sealwright.oauth.registration.http import RegistrationHandlers, registration_routes
from sealwright.oauth.registration.tokens import RegistrationTokens
from sealwright.oauth.revocation import RevocationEndpoint
from sealwright.oauth.subjects import SubjectLookup
from sealwright.oauth.terminal_http import TerminalEndpoints, terminal_routes
from sealwright.oauth.token import TokenEndpoint
from sealwright.oauth.token_families import TokenFamilies
from sealwright.oauth.trusted_issuers.explanations import AssertionExplanations
from sealwright.oauth.trusted_issuers.registry import TrustedIssuers
from sealwright.oauth.userinfo import UserinfoEndpoint


class AuthorizationServer(Struct, frozen=True):
    """What other packages use of it, and its addresses."""

    api_access: ApiAccess
    certificate_access: CertificateAccess
    clients: ClientRegistry
    client_maps: ClientMaps
    issuers: IssuerRegistry
    registration_tokens: RegistrationTokens
    trusted_issuers: TrustedIssuers
    assertion_explanations: AssertionExplanations
    authorization: AuthorizationEndpoint
    consents: Consents
    discovery: Discovery
    tokens: TokenEndpoint
    id_token_status: IdTokenStatus
    logout: LogoutEndpoint
    backchannel_logout: BackchannelLogout
    step_response: StepResponse
    routes: tuple[Route, ...]


def build_authorization_server(
    dependencies: OAuthDependencies,
    *,
    people: IdentityLookups,
    custody: Custody,
    sealer: Sealer,
    named: NamedAuthorities,
    certificates: ClientCertificates,
    form_post_page: FormPostPage,
) -> AuthorizationServer:
    """Build it.

    `people`: of the package `identity`; `named`: the names that carry authority elsewhere; `certificates`: those of the
    certificate authority; `form_post_page`: renders the page that posts a response.
    """
    directory, sessions, api_tokens = people.directory, people.sessions, people.api_tokens
    subjects = SubjectLookup(dependencies, directory)
    key_sets = ClientKeySets(dependencies.outbound, dependencies.clock)
    asked = _requests(dependencies, directory=directory, subjects=subjects, custody=custody, sealer=sealer, key_sets=key_sets)
    discovery = Discovery(dependencies, custody)
    families = TokenFamilies(dependencies, people=people, certificates=certificates)
    proofs = _proofs(dependencies, families, custody, sealer, certificates, key_sets)
    parts = GrantDependencies(dependencies, families, directory, proofs.access_tokens, api_tokens, key_sets)
    endpoints = _endpoints(dependencies, proofs, asked, discovery, parts, subjects, custody)
    logout = LogoutEndpoint(dependencies, custody=custody, sealer=sealer)
    step_response = step_responses(form_post_page)
    clients = ClientRegistry(dependencies, custody=custody, sealer=sealer, directory=directory, named=named)
    api_access = ApiAccess(
        dependencies, access_tokens=proofs.access_tokens, confirmations=proofs.confirmations, subjects=subjects
    )
    return AuthorizationServer(
        api_access=api_access,
        certificate_access=CertificateAccess(
            dependencies,
            access_tokens=proofs.access_tokens,
            confirmations=proofs.confirmations,
            families=families,
            subjects=subjects,
        ),
        clients=clients,
        client_maps=ClientMaps(clients, directory),
        issuers=IssuerRegistry(dependencies, custody),
        registration_tokens=RegistrationTokens(dependencies, directory),
        trusted_issuers=TrustedIssuers(dependencies, people, named),
        assertion_explanations=AssertionExplanations(dependencies, key_sets),
        authorization=asked.authorization,
        consents=Consents(dependencies, directory=directory),
        discovery=discovery,
        tokens=endpoints.tokens,
        id_token_status=IdTokenStatus(dependencies, families=proofs.families, directory=directory),
        logout=logout,
        backchannel_logout=BackchannelLogout(dependencies, custody=custody, outbound=dependencies.outbound),
        step_response=step_response,
        routes=(
            *_people_routes(dependencies, asked.authorization, logout, sessions, step_response),
            *routes(endpoints),
            *_registration(dependencies, sealer, named),
        ),
    )


def _registration(dependencies: OAuthDependencies, sealer: Sealer, named: NamedAuthorities) -> list[Route]:
    endpoint = RegistrationEndpoint(dependencies, sealer=sealer, named=named)
    return registration_routes(RegistrationHandlers(endpoint, dependencies))


class _Proofs(Struct, frozen=True):
    """What tells whether a client and a token are what they claim to be."""

    clients: ClientAuthentication
    families: TokenFamilies
    confirmations: Confirmations
    opaque: OpaqueTokens
    access_tokens: AccessTokens


def _proofs(
    dependencies: OAuthDependencies,
    families: TokenFamilies,
    custody: Custody,
    sealer: Sealer,
    certificates: ClientCertificates,
    key_sets: ClientKeySets,
) -> _Proofs:
    confirmations = Confirmations(dependencies, certificates, DpopProofs(dependencies, sealer))
    opaque = OpaqueTokens(dependencies, sealer)
    return _Proofs(
        clients=ClientAuthentication(dependencies, certificates=certificates, key_sets=key_sets, sealer=sealer),
        families=families,
        confirmations=confirmations,
        opaque=opaque,
        access_tokens=AccessTokens(dependencies, families=families, custody=custody, opaque=opaque, confirmations=confirmations),
    )


def _endpoints(
    dependencies: OAuthDependencies,
    proofs: _Proofs,
    asked: _Requests,
    discovery: Discovery,
    parts: GrantDependencies,
    subjects: SubjectLookup,
    custody: Custody,
) -> Endpoints:
    """The addresses that clients call."""
    clients, families, access_tokens = proofs.clients, proofs.families, proofs.access_tokens
    return Endpoints(
        tokens=TokenEndpoint(
            dependencies,
            clients=clients,
            confirmations=proofs.confirmations,
            parts=parts,
            subjects=subjects,
            custody=custody,
            opaque=proofs.opaque,
        ),
        pushes=PushEndpoint(
            dependencies,
            clients=clients,
            incoming=asked.incoming,
            requests=asked.pending,
            pushed=asked.pushed,
            confirmations=proofs.confirmations,
            requests_by_network=dependencies.budgets.authorizations_by_network,
        ),
        devices=DeviceEndpoint(dependencies, clients=clients, requests=asked.pending, devices=asked.devices),
        introspection=IntrospectionEndpoint(
            dependencies,
            clients=clients,
            access_tokens=access_tokens,
            families=families,
            directory=parts.directory,
            subjects=subjects,
            custody=custody,
        ),
        revocation=RevocationEndpoint(dependencies, clients=clients, access_tokens=access_tokens, families=families),
        userinfo=UserinfoEndpoint(
            discovery=discovery, access_tokens=access_tokens, confirmations=proofs.confirmations, subjects=subjects
        ),
        discovery=discovery,
        budgets=dependencies.budgets,
    )


class _Requests(NamedTuple):
    """The parts that authorization requests go through until they are decided."""

    authorization: AuthorizationEndpoint
    incoming: AuthorizationRequests
    pending: PendingRequests
    pushed: PushedRequests
    devices: DeviceRequests


def _requests(
    dependencies: OAuthDependencies,
    *,
    directory: PeopleLookup,
    subjects: SubjectLookup,
    custody: Custody,
    sealer: Sealer,
    key_sets: ClientKeySets,
) -> _Requests:
    pushed, devices = PushedRequests(dependencies), DeviceRequests(dependencies)
    incoming = AuthorizationRequests(dependencies, custody=custody, pushed=pushed, key_sets=key_sets)
    pending = PendingRequests(dependencies, sealer, pushed)
    authorization = AuthorizationEndpoint(
        dependencies,
        directory=directory,
        subjects=subjects,
        custody=custody,
        incoming=incoming,
        requests=pending,
        devices=devices,
    )
    return _Requests(authorization, incoming, pending, pushed, devices)


def _people_routes(
    dependencies: OAuthDependencies,
    authorization: AuthorizationEndpoint,
    logout: LogoutEndpoint,
    sessions: SessionLookup,
    step_response: StepResponse,
) -> tuple[Route, ...]:
    """The addresses where people decide, in a browser or at a terminal."""
    terminals = TerminalEndpoints(authorization, terminal_authenticator(sessions), dependencies.budgets)
    browsers = BrowserEndpoints(
        authorization=authorization,
        logout=logout,
        browser=browser_authenticator(sessions),
        budgets=dependencies.budgets,
        step_response=step_response,
        terminals=terminals,
    )
    return (*browser_routes(browsers), *terminal_routes(terminals))
