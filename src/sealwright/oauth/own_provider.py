"""Let people sign in to the control plane with this very server as their identity provider.

It takes a client of this server, which the control plane is, and a provider that leads to it. Groups then give roles by
mappings, as those of other providers do.
"""

from __future__ import annotations

from msgspec import Struct

from sealwright.access import ALL_PERSONS, Actor, Permission, require, require_in_person
from sealwright.client_metadata import ClientKind
from sealwright.entropy import token
from sealwright.identity import LOGIN_PATH, ProviderInput, ProviderRefused, UpstreamProvider, UpstreamProviders
from sealwright.oauth.clients.registry import ClientRegistry
from sealwright.oauth.clients.secrets import SECRET_BYTES
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import ClientExists, ClientUnknown
from sealwright.oauth.models import ClientConfiguration

USUAL_CLIENT = "control-plane"
SCOPES = ("openid", "profile", "email", "groups")


class OwnProviderEntry(Struct, frozen=True):
    """The client and the provider, and what of them was not there before."""

    provider: UpstreamProvider
    client_name: str
    made: tuple[str, ...]
    """Of ``client``, ``scopes``, ``provider``, ``secret`` and ``sign-in address``; empty where all was as it should be."""


class OwnProvider:
    """Registers it. What is there already stays, so that a call that was interrupted is finished by another one."""

    def __init__(
        self, dependencies: OAuthDependencies, clients: ClientRegistry, providers: UpstreamProviders, server_name: str
    ) -> None:
        """`server_name`: what the button on the sign-in page is called."""
        self._clients = clients
        self._providers = providers
        self._entropy = dependencies.entropy
        self._origin = dependencies.origin
        self._server_name = server_name

    async def register(self, name: str = "", client_name: str = "", *, actor: Actor) -> OwnProviderEntry:
        """Make what is missing, and test the provider as any other is tested. The client's secret is shown to no one."""
        require(actor, Permission.OIDC_PROVIDER_WRITE)
        require_in_person(actor, "make the secret of a client")
        made: list[str] = []
        client = await self._client(client_name or USUAL_CLIENT, actor, made)
        held = next((each.scopes for each in client.scope_maps if each.group_name == ALL_PERSONS), ())
        if not set(SCOPES) <= set(held):
            await self._clients.update_scope_map(client.name, ALL_PERSONS, sorted({*held, *SCOPES}), actor=actor)
            made.append("scopes")
        provider = await self._provider(name or self._server_name, client, actor, made)
        begins_at = f"{self._origin}{LOGIN_PATH}?provider={provider.id}"
        if client.initiate_login_uri != begins_at:
            await self._clients.change(client.name, {"initiate_login_uri": begins_at}, actor=actor)
            made.append("sign-in address")
        return OwnProviderEntry(provider, client.name, tuple(made))

    async def _client(self, name: str, actor: Actor, made: list[str]) -> ClientConfiguration:
        callback = self._providers.callback
        try:
            found = await self._clients.get(name, actor=actor)
        except ClientUnknown:
            members = {"redirect_uris": (callback,), "consent_prompt": False}
            found = await self._clients.create_confidential(name, self._server_name, callback, members=members, actor=actor)
            made.append("client")
        if found.kind is not ClientKind.CONFIDENTIAL or callback not in found.redirect_uris:
            raise ClientExists(
                f"The client {name} is another application: its redirect URIs do not hold {callback}, or it has no secret.",
                hint="Give the client of this server another name.",
            )
        return found

    async def _provider(self, name: str, client: ClientConfiguration, actor: Actor, made: list[str]) -> UpstreamProvider:
        wanted = (client.issuer_url, client.name)
        known = await self._providers.list_providers(actor=actor)
        found = next((each for each in known if (each.issuer_url, each.client_id) == wanted), None)
        if found is None:
            secret = token(self._entropy, SECRET_BYTES)
            await self._clients.secrets.put(client.name, secret, actor=actor)
            given = ProviderInput(
                name=name, issuer_url=client.issuer_url, client_id=client.name, client_secret=secret, scopes=SCOPES
            )
            made.append("provider")
            return await self._providers.create(given, actor=actor)
        secret = await self._providers.secret_of(found.id, actor=actor) or ""
        if not secret:
            secret = token(self._entropy, SECRET_BYTES)
            await self._providers.update(found.id, ProviderInput(client_secret=secret), actor=actor)
        if await self._clients.secrets.put(client.name, secret, actor=actor):
            made.append("secret")
        checks = await self._providers.refresh(found.id, actor=actor)
        if not all(each.passed for each in checks):
            raise ProviderRefused.after(checks)
        return found
