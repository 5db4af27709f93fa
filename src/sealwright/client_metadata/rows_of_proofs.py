"""Whether the client proves with each request that it holds a key (DPoP)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from sealwright.client_metadata import rules
from sealwright.client_metadata.declaration import MemberDeclaration, SetBy, Verb


@dataclass(frozen=True, kw_only=True)
class ProofRows:
    """Whether the client proves with each request that it holds a key (DPoP)."""

    dpop_bound_access_tokens: Annotated[
        bool,
        MemberDeclaration(
            doc="Its access tokens are bound to a key of its own, and it gets none without a DPoP proof (RFC 9449).",
            label="DPoP-bound tokens",
            set_by=SetBy.REGISTRATION,
            rule=rules.require_one_binding,
            verbs=(
                Verb(
                    name="enable-dpop-bound-tokens",
                    doc="Give access tokens only to anyone who proves that they hold a key, and bind them to it (DPoP).\n\n"
                    "Without this, a client may send DPoP proofs and need not.",
                    said="Access tokens of {client} are bound to a key of its own",
                    example="enable-dpop-bound-tokens wiki",
                    value=True,
                ),
                Verb(
                    name="disable-dpop-bound-tokens",
                    doc="Give access tokens without a DPoP proof as well, as is the default.",
                    said="{client} gets access tokens without a DPoP proof, too",
                    example="disable-dpop-bound-tokens wiki",
                    value=False,
                ),
            ),
        ),
    ] = False
    require_dpop_nonce: Annotated[
        bool,
        MemberDeclaration(
            doc="Its DPoP proofs need a nonce of this server, so that none can be made long before (RFC 9449, section 8).",
            label="DPoP needs a nonce",
            set_by=SetBy.ADMINISTRATOR,
            verbs=(
                Verb(
                    name="enable-dpop-nonce",
                    doc="Take DPoP proofs of a client only with a nonce, which this server tells in the header DPoP-Nonce.",
                    said="DPoP proofs of {client} need a nonce",
                    example="enable-dpop-nonce wiki",
                    value=True,
                ),
                Verb(
                    name="disable-dpop-nonce",
                    doc="Take DPoP proofs of a client without a nonce as well, as is the default.",
                    said="DPoP proofs of {client} need no nonce",
                    example="disable-dpop-nonce wiki",
                    value=False,
                ),
            ),
        ),
    ] = False
