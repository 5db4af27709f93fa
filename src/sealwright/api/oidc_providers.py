"""Identity providers that people sign in with, and which of their groups give which roles."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import asdict

from sealwright.access import Permission
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, Secret, moment
from sealwright.api.operations import Call, Operation
from sealwright.api.paging import PAGED, page_of
from sealwright.identity import (
    LOGIN_PATH,
    DowngradeRule,
    GroupMapping,
    ProviderCheck,
    ProviderInput,
    UpstreamProvider,
    UpstreamProviders,
)
from sealwright.oauth import OwnProvider

_READ, _WRITE = str(Permission.OIDC_PROVIDER_READ), str(Permission.OIDC_PROVIDER_WRITE)
_ALL, _ONE = "/auth/oidc/providers", "/auth/oidc/providers/{id}"
_MAPPINGS = "/auth/oidc/group-mappings"


class OidcProviderChange(RequestBody, frozen=True, kw_only=True):
    """What is to be different; what is left out stays as it is, a blank secret too."""

    name: str | None = None
    issuer_url: str | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    redirect_uri: str | None = None
    """Must be this server's callback; it is that by default."""
    groups_claim_path: str | None = None
    groups_claim_format: Literal["string-array"] = "string-array"
    scopes: tuple[str, ...] | None = None
    downgrade_rule: DowngradeRule | None = None
    iat_window_seconds: int | None = None
    jwks_cache_ttl_seconds: int | None = None
    """After so long its metadata and keys are fetched again at the latest."""
    userinfo_groups: bool | None = None
    """Whether groups are asked for at the userinfo endpoint where the ID token names none."""
    allowed_email_domains: tuple[str, ...] | None = None
    """Domains of which a mail address in the ID token has to be; empty: every one."""
    enabled: bool | None = None


class OidcProviderBody(OidcProviderChange, frozen=True, kw_only=True):
    """A new provider. It is stored only if it is found good now."""

    name: str
    issuer_url: str
    client_id: str


class OidcProviderView(ResponseBody, frozen=True, kw_only=True):
    """A provider, without its secret."""

    id: str
    name: str
    issuer_url: str
    client_id: str
    has_client_secret: bool
    redirect_uri: str
    groups_claim_path: str
    groups_claim_format: str = "string-array"
    scopes: tuple[str, ...]
    downgrade_rule: str
    iat_window_seconds: int
    jwks_cache_ttl_seconds: int
    userinfo_groups: bool
    allowed_email_domains: tuple[str, ...]
    enabled: bool
    created_at: Moment
    updated_at: Moment


class OidcProviderPage(ResponseBody, frozen=True, kw_only=True):
    """Every provider, by name."""

    items: list[OidcProviderView]
    next: str | None = None


class OwnProviderBody(RequestBody, frozen=True, kw_only=True):
    """How this server is called as a provider of its own."""

    name: str = ""
    """On the button of the sign-in page; empty for the name of the server."""
    client: str = ""
    """Of the client that stands for the control plane; empty for `control-plane`."""


class OwnProviderView(ResponseBody, frozen=True, kw_only=True):
    """The provider, the client, and what was made now."""

    provider: OidcProviderView
    client: str
    made: tuple[str, ...]
    """Of client, scopes, provider, secret and sign-in address; empty where everything was there."""


class ProviderCheckView(ResponseBody, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    passed: bool
    detail: str


class ProviderChecks(ResponseBody, frozen=True, kw_only=True):
    """What was looked at, and whether all of it is good."""

    passed: bool
    checks: list[ProviderCheckView]


class ProviderKeyView(ResponseBody, frozen=True, kw_only=True):
    """A key of a provider."""

    kid: str
    """Empty where its key set gives none."""
    algorithm: str
    """Empty where its key set gives none."""


class ProviderKeyStatus(ResponseBody, frozen=True, kw_only=True):
    """What is cached of a provider's key set."""

    keys: list[ProviderKeyView]
    fetched_at: Moment | None
    kept_until: Moment | None
    failure: str
    """Why it could not be fetched the last time; empty where it could."""
    local: bool
    """Whether the provider is this server itself."""


class GroupMappingBody(RequestBody, frozen=True, kw_only=True):
    """A group of a provider that is to give a role."""

    provider_id: str
    group_name: str
    role_id: str


class GroupMappingView(ResponseBody, frozen=True, kw_only=True):
    """A group that gives a role."""

    id: str
    provider_id: str
    group_name: str
    role_id: str
    created_at: Moment


class GroupMappingPage(ResponseBody, frozen=True, kw_only=True):
    """The mappings of one provider."""

    items: list[GroupMappingView]
    next: str | None = None


class SignInChoice(ResponseBody, frozen=True, kw_only=True):
    """A provider that people can sign in with."""

    id: str
    display_name: str
    login_url: str


class AuthInfo(ResponseBody, frozen=True, kw_only=True):
    """How one can sign in."""

    oidc_providers: list[SignInChoice]


class OidcProviderOperations:
    """Operations about identity providers."""

    def __init__(self, providers: UpstreamProviders, own: OwnProvider) -> None:
        self._providers = providers
        self._own = own

    def operations(self) -> list[Operation]:
        """All of them."""
        return [*self._of_providers(), *self._of_keys(), *self._of_mappings()]

    def _of_providers(self) -> list[Operation]:
        view, change = OidcProviderView, OidcProviderChange
        ending = {"end_sessions": "true: end the sessions that began with it. Without it, they keep it from being deleted."}
        return [
            Operation(
                "auth_info",
                "GET",
                "/auth/info",
                "How one can sign in.",
                "public: for sign-in pages",
                self._info,
                returns=AuthInfo,
            ),
            Operation("list_oidc_providers", "GET", _ALL, "List providers.", _READ, self._list, OidcProviderPage, query=PAGED),
            Operation(
                "create_oidc_provider",
                "POST",
                _ALL,
                "Store a provider that is found good now.",
                _WRITE,
                self._create,
                returns=view,
                accepts=OidcProviderBody,
                status=201,
            ),
            Operation(
                "test_oidc_provider",
                "POST",
                "/auth/oidc/test",
                "Check whether a provider could be stored, without storing it.",
                _WRITE,
                self._test,
                returns=ProviderChecks,
                accepts=OidcProviderBody,
            ),
            Operation(
                "register_own_oidc_provider",
                "POST",
                "/auth/oidc/own-provider",
                "Let people sign in with this server's own accounts, and with roles by their groups.",
                _WRITE,
                self._register_own,
                returns=OwnProviderView,
                accepts=OwnProviderBody,
            ),
            Operation("get_oidc_provider", "GET", _ONE, "Show a provider.", _READ, self._get, returns=view),
            Operation(
                "update_oidc_provider", "PATCH", _ONE, "Change a provider.", _WRITE, self._update, returns=view, accepts=change
            ),
            Operation(
                "delete_oidc_provider",
                "DELETE",
                _ONE,
                "Delete a provider, its mappings, and the roles that they gave.",
                _WRITE,
                self._delete,
                query=ending,
                status=204,
            ),
        ]

    def _of_keys(self) -> list[Operation]:
        return [
            Operation(
                "refresh_oidc_provider",
                "POST",
                f"{_ONE}/refresh",
                "Fetch discovery document and keys anew.",
                _WRITE,
                self._refresh,
                returns=ProviderChecks,
            ),
            Operation(
                "get_oidc_provider_key_status",
                "GET",
                f"{_ONE}/jwks-status",
                "Show what is cached of its key set.",
                _READ,
                self._key_status,
                returns=ProviderKeyStatus,
            ),
        ]

    def _of_mappings(self) -> list[Operation]:
        of = {"provider_id": "Of which provider."}
        return [
            Operation(
                "list_group_mappings",
                "GET",
                _MAPPINGS,
                "List which groups give which roles.",
                _READ,
                self._mappings,
                returns=GroupMappingPage,
                query={**of, **PAGED},
                required_query=tuple(of),
            ),
            Operation(
                "add_group_mapping",
                "POST",
                _MAPPINGS,
                "Let a group give a role.",
                _WRITE,
                self._map,
                returns=GroupMappingView,
                accepts=GroupMappingBody,
                status=201,
            ),
            Operation(
                "remove_group_mapping",
                "DELETE",
                f"{_MAPPINGS}/{{id}}",
                "Remove the mapping of a group to a role.",
                _WRITE,
                self._unmap,
                status=204,
            ),
        ]

    async def _info(self, _call: Call) -> AuthInfo:
        return AuthInfo(
            oidc_providers=[
                SignInChoice(id=each.id, display_name=each.name, login_url=f"{LOGIN_PATH}?provider={each.id}")
                for each in await self._providers.offered()
            ]
        )

    async def _list(self, call: Call) -> OidcProviderPage:
        found = [self._view(each) for each in await self._providers.list_providers(actor=call.actor)]
        return page_of(call, OidcProviderPage(items=found), "name", "id")

    async def _get(self, call: Call) -> OidcProviderView:
        return self._view(await self._providers.find(call.path("id"), actor=call.actor))

    async def _create(self, call: Call) -> OidcProviderView:
        return self._view(await self._providers.create(_input(call.body), actor=call.actor))

    async def _test(self, call: Call) -> ProviderChecks:
        return _checks(await self._providers.test(_input(call.body), actor=call.actor))

    async def _register_own(self, call: Call) -> OwnProviderView:
        body: OwnProviderBody = call.body
        found = await self._own.register(body.name, body.client, actor=call.actor)
        return OwnProviderView(provider=self._view(found.provider), client=found.client_name, made=found.made)

    async def _update(self, call: Call) -> OidcProviderView:
        return self._view(await self._providers.update(call.path("id"), _input(call.body), actor=call.actor))

    async def _delete(self, call: Call) -> None:
        await self._providers.delete(call.path("id"), end_sessions=call.flag("end_sessions"), actor=call.actor)

    async def _refresh(self, call: Call) -> ProviderChecks:
        return _checks(await self._providers.refresh(call.path("id"), actor=call.actor))

    async def _key_status(self, call: Call) -> ProviderKeyStatus:
        found = await self._providers.key_status(call.path("id"), actor=call.actor)
        return ProviderKeyStatus(
            keys=[ProviderKeyView(kid=each.id, algorithm=each.algorithm) for each in found.keys],
            fetched_at=None if found.fetched_at is None else moment(found.fetched_at),
            kept_until=None if found.kept_until is None else moment(found.kept_until),
            failure=found.failure,
            local=found.local,
        )

    async def _mappings(self, call: Call) -> GroupMappingPage:
        provider_id = call.query["provider_id"]
        found = [_mapping(each) for each in await self._providers.mappings(provider_id, actor=call.actor)]
        return page_of(call, GroupMappingPage(items=found), "group_name", "role_id", "id")

    async def _map(self, call: Call) -> GroupMappingView:
        body: GroupMappingBody = call.body
        return _mapping(await self._providers.map_group(body.provider_id, body.group_name, body.role_id, actor=call.actor))

    async def _unmap(self, call: Call) -> None:
        await self._providers.unmap(call.path("id"), actor=call.actor)

    def _view(self, provider: UpstreamProvider) -> OidcProviderView:
        return OidcProviderView(
            id=provider.id,
            name=provider.name,
            issuer_url=provider.issuer_url,
            client_id=provider.client_id,
            has_client_secret=provider.has_secret,
            redirect_uri=self._providers.callback,
            groups_claim_path=provider.groups_claim_path,
            scopes=provider.scopes,
            downgrade_rule=str(provider.downgrade_rule),
            iat_window_seconds=provider.iat_window_seconds,
            jwks_cache_ttl_seconds=provider.jwks_cache_ttl_seconds,
            userinfo_groups=provider.userinfo_groups,
            allowed_email_domains=provider.allowed_email_domains,
            enabled=provider.enabled,
            created_at=moment(provider.created_at),
            updated_at=moment(provider.updated_at),
        )


def _input(body: OidcProviderChange) -> ProviderInput:
    given = asdict(body)
    del given["groups_claim_format"]  # there is one format
    return ProviderInput(**given)


def _checks(found: tuple[ProviderCheck, ...]) -> ProviderChecks:
    return ProviderChecks(
        passed=all(each.passed for each in found),
        checks=[ProviderCheckView(name=each.name, passed=each.passed, detail=each.detail) for each in found],
    )


def _mapping(found: GroupMapping) -> GroupMappingView:
    return GroupMappingView(
        id=found.id,
        provider_id=found.provider_id,
        group_name=found.group_name,
        role_id=found.role,
        created_at=moment(found.created_at),
    )
