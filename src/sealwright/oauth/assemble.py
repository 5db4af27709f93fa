"""The parts of the authorization server, put together."""

from __future__ import annotations

from msgspec import Struct

from sealwright.access import NamedAuthorities
from sealwright.http import Route
from sealwright.keys import Custody, Sealer
from sealwright.oauth.authorize import Authorization
from sealwright.oauth.clients import Clients
from sealwright.oauth.consents import Consents
from sealwright.oauth.discovery import Discovery
from sealwright.oauth.families import Families
from sealwright.oauth.foundation import Foundation
from sealwright.oauth.http import Endpoints, routes
from sealwright.oauth.pending import PendingRequests
from sealwright.oauth.people import People, SignIns
from sealwright.oauth.token import Tokens
from sealwright.oauth.token_standing import TokenStanding
from sealwright.oauth.userinfo import Userinfo


class AuthorizationServer(Struct, frozen=True):
    """What other packages use of it, and its addresses."""

    clients: Clients
    authorization: Authorization
    consents: Consents
    discovery: Discovery
    tokens: Tokens
    token_standing: TokenStanding
    routes: tuple[Route, ...]


def assemble(
    foundation: Foundation,
    *,
    people: People,
    sign_ins: SignIns,
    custody: Custody,
    sealer: Sealer,
    named: NamedAuthorities,
) -> AuthorizationServer:
    """Build it.

    `people`: `identity.Directory`; `sign_ins`: `identity.Sessions`; `named`: the names that carry authority elsewhere.
    """
    authorization = Authorization(foundation, people=people, custody=custody, requests=PendingRequests(foundation, sealer))
    discovery = Discovery(foundation, custody)
    families = Families(foundation, sign_ins=sign_ins)
    tokens = Tokens(foundation, families=families, people=people, custody=custody)
    userinfo = Userinfo(foundation, discovery=discovery, families=families, people=people, custody=custody)
    endpoints = Endpoints(
        authorization=authorization,
        tokens=tokens,
        userinfo=userinfo,
        discovery=discovery,
        sign_ins=sign_ins,
        budgets=foundation.budgets,
    )
    return AuthorizationServer(
        clients=Clients(foundation, custody=custody, sealer=sealer, people=people, named=named),
        authorization=authorization,
        consents=Consents(foundation, people=people),
        discovery=discovery,
        tokens=tokens,
        token_standing=TokenStanding(foundation, families=families, people=people),
        routes=tuple(routes(endpoints)),
    )
