"""Where responses may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from sealwright.client_metadata.declaration import MemberDeclaration, SetBy, Verb, VerbEffect
from sealwright.client_metadata.redirect_uris import require_clients_redirect_uri


@dataclass(frozen=True, kw_only=True)
class RedirectRows:
    """Where responses may go."""

    redirect_uris: Annotated[
        tuple[str, ...],
        MemberDeclaration(
            doc="Addresses that people may come back to, compared exactly.",
            label="redirect URLs",
            set_by=SetBy.REGISTRATION,
            rule=require_clients_redirect_uri,
            verbs=(
                Verb(
                    name="add-redirect-url",
                    doc="Allow an address that people may come back to.\n\n"
                    "It is compared exactly; only of a public client's loopback address (http://127.0.0.1, http://[::1], "
                    "http://localhost) the port is free. A scheme of the application's own is allowed, such as "
                    "com.example.app:/callback or cursor://callback.",
                    said="{client} may redirect to {value}",
                    example="add-redirect-url step-ca http://localhost:10000",
                    argument="url",
                    effect=VerbEffect.ADD,
                ),
                Verb(
                    name="remove-redirect-url",
                    doc="No longer allow an address.",
                    said="{client} may no longer redirect to {value}",
                    example="remove-redirect-url step-ca http://localhost:10000",
                    argument="url",
                    effect=VerbEffect.REMOVE,
                ),
            ),
        ),
    ] = ()
    localhost_redirects: Annotated[
        bool,
        MemberDeclaration(
            doc="Redirects to any port and path of the person's own computer are allowed; to a confidential client, to any port "
            "of the loopback addresses that it registered.",
            label="localhost redirects",
            set_by=SetBy.ADMINISTRATOR,
            verbs=(
                Verb(
                    name="enable-localhost-redirects",
                    doc="Allow redirects to any port of the person's own machine; for a confidential client only to the "
                    "loopback addresses that are registered.",
                    said="{client} may redirect to localhost",
                    example="enable-localhost-redirects step-ca",
                    value=True,
                ),
                Verb(
                    name="disable-localhost-redirects",
                    doc="Allow only the registered redirect URLs.",
                    said="{client} may no longer redirect to localhost",
                    example="disable-localhost-redirects step-ca",
                    value=False,
                ),
            ),
        ),
    ] = False
    http_redirects: Annotated[
        bool,
        MemberDeclaration(
            doc="Redirects over plain http are allowed, where anyone on the way can read a code.",
            label="http redirects",
            set_by=SetBy.ADMINISTRATOR,
            verbs=(
                Verb(
                    name="warning-insecure-client-allow-http-redirects",
                    doc="Allow redirect and landing URLs over plain http, where anyone on the way can read a code.",
                    said="{client} may redirect over plain http: others on the way can read what it is sent",
                    example="warning-insecure-client-allow-http-redirects wiki",
                    value=True,
                ),
                Verb(
                    name="disable-http-redirects",
                    doc="Allow no redirects over plain http, as is the default. Addresses that were registered meanwhile stay "
                    "in the list, and are refused.",
                    said="{client} may not redirect over plain http",
                    example="disable-http-redirects wiki",
                    value=False,
                ),
            ),
        ),
    ] = False
