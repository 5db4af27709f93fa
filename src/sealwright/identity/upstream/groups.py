"""Where the groups of a person are read: in the ID token, or at the userinfo endpoint where the provider is set so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sealwright.errors import Unavailable
from sealwright.identity.upstream.errors import SignOnRefused
from sealwright.identity.upstream.id_tokens import UpstreamIdentity
from sealwright.identity.upstream.models import RefusedSignOn, UpstreamProvider, groups_at
from sealwright.openid_providers import ProviderMetadata, origin_of
from sealwright.outbound import Outbound

LARGEST_USERINFO = 2 * 1024 * 1024
PATIENCE = 10.0
_OK = 200


class GroupSource:
    """Reads the claim of groups. A claim that is absent is never an empty one: the sign-in is refused."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def groups_of(
        self, provider: UpstreamProvider, metadata: ProviderMetadata, identity: UpstreamIdentity, access_token: object
    ) -> tuple[tuple[str, ...], str]:
        """The groups, and where they were read: ``id_token`` or ``userinfo``. Raises SignOnRefused."""
        groups = groups_at(identity.claims, provider.groups_claim_path)
        if groups is not None:
            return groups, "id_token"
        if provider.userinfo_groups:
            claims = await self._userinfo(provider, metadata, identity, access_token)
            groups = groups_at(claims, provider.groups_claim_path)
            if groups is not None:
                return groups, "userinfo"
        raise _groups_missing(provider, identity.claims)

    async def _userinfo(
        self, provider: UpstreamProvider, metadata: ProviderMetadata, identity: UpstreamIdentity, access_token: object
    ) -> Mapping[str, Any]:
        """The claims that the provider returns for the access token, of the same person (OpenID Connect Core, section 5.3)."""
        if origin_of(metadata.userinfo_endpoint)[0] != "https" or not isinstance(access_token, str) or not access_token:
            raise _refused(provider, "it has no userinfo endpoint with https, or gave no access token")
        try:
            answer = await self._outbound.get(
                metadata.userinfo_endpoint, bearer=access_token, max_bytes=LARGEST_USERINFO, timeout=PATIENCE
            )
        except Unavailable as cause:
            raise _refused(provider, cause.detail.rstrip(".")) from cause
        if answer.status != _OK:
            raise _refused(provider, f"its userinfo endpoint answered with status {answer.status}")
        try:
            claims = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError) as cause:
            raise _refused(provider, "its userinfo endpoint did not answer with a JSON object") from cause
        if claims.get("sub") != identity.subject:
            raise _refused(provider, "its userinfo endpoint answered about someone else (sub)")
        return claims


def _refused(provider: UpstreamProvider, because: str) -> SignOnRefused:
    return SignOnRefused(
        RefusedSignOn.GROUPS_MISSING, f"The groups could not be read at the userinfo endpoint of {provider.name}: {because}."
    )


def _groups_missing(provider: UpstreamProvider, claims: Mapping[str, Any]) -> SignOnRefused:
    if _is_overage(claims):
        return SignOnRefused(
            RefusedSignOn.GROUPS_MISSING,
            f"{provider.name} left the groups out, because this person is in more than fit into a token (group overage).",
            hint="In Entra ID, let the token hold only the groups that are assigned to the application, or use app roles "
            "and the claim roles.",
        )
    return SignOnRefused(
        RefusedSignOn.GROUPS_MISSING,
        f"{provider.name} named no groups: the claim {provider.groups_claim_path} is missing, or no list of strings.",
        hint="Let the provider put the groups of people into the ID token, or set the claim's name.",
    )


def _is_overage(claims: Mapping[str, Any]) -> bool:
    """Whether Entra ID says that it left groups out: by `_claim_names`, or by `hasgroups` in the implicit flow."""
    names = claims.get("_claim_names")
    return (isinstance(names, Mapping) and "groups" in names) or claims.get("hasgroups") in (True, "true")
