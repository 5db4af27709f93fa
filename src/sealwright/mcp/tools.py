"""The tools: one for each thing that a person wants to know or to have done, over the operations of the management API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from sealwright.mcp.api_calls import ApiCall

PREFIX = "sealwright_"
"""What every name begins with: a client may offer the tools of several servers side by side."""
_PAGE = 50


class Arguments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Those of a tool that takes none; others have members of their own."""


class _Paged(Arguments, frozen=True, kw_only=True):
    after: Annotated[str, Meta(description="`next` of the page before, to go on there.")] = ""
    limit: Annotated[int, Meta(description="At most this many.", ge=1, le=200)] = _PAGE


class _Search(_Paged, frozen=True, kw_only=True):
    search: Annotated[str, Meta(description="Words of a name or mail address, or their beginnings; empty for all.")] = ""


class _Named(Arguments, frozen=True, kw_only=True):
    name: Annotated[str, Meta(description="Name, name with domain, or id.", min_length=1)]


class _Certificates(_Paged, frozen=True, kw_only=True):
    name: Annotated[str, Meta(description="A name in the certificate; `.example.org` or `@example.org` for all that end so.")] = (
        ""
    )
    person: Annotated[str, Meta(description="Whose certificates: name, name with domain, or id.")] = ""


class _Serial(Arguments, frozen=True, kw_only=True):
    serial: Annotated[str, Meta(description="Serial number, hexadecimal or decimal.", min_length=1)]


class _Person(Arguments, frozen=True, kw_only=True):
    person: Annotated[str, Meta(description="Whose; empty for one's own.")] = ""


class _Events(_Paged, frozen=True, kw_only=True):
    target: Annotated[str, Meta(description="What it was about, such as person:alice or client:wiki; also of what is gone.")] = ""
    event: Annotated[str, Meta(description="An event such as person.created, or all of a kind, such as person.")] = ""
    outcome: Annotated[Literal["", "done", "refused", "failed"], Meta(description="How it ended.")] = ""
    by: Annotated[str, Meta(description="The account that did it.")] = ""
    since: Annotated[str, Meta(description="From this time on (RFC 3339).")] = ""
    until: Annotated[str, Meta(description="Before this time (RFC 3339).")] = ""


class _SignIn(Arguments, frozen=True, kw_only=True):
    id: Annotated[str, Meta(description="Id of the sign-in, from the list of them.", min_length=1)]


class _SignIns(Arguments, frozen=True, kw_only=True):
    provider_id: Annotated[str, Meta(description="Of which identity provider; empty for all.")] = ""
    after: Annotated[str, Meta(description="`next` of the page before, to go on there.")] = ""


class _Confirmed(Arguments, frozen=True, kw_only=True):
    confirm: Annotated[
        str, Meta(description="The confirm token of the call that said what will happen; empty in that first call.")
    ] = ""


class _ChangePerson(_Confirmed, frozen=True, kw_only=True):
    name: Annotated[str, Meta(description="Name, name with domain, or id.", min_length=1)]


class _Revoke(_Confirmed, frozen=True, kw_only=True):
    serial: Annotated[str, Meta(description="Serial number, hexadecimal or decimal.", min_length=1)]
    reason: Annotated[
        Literal["unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation", "privilegeWithdrawn"],
        Meta(description="Why (RFC 5280, section 5.3.1)."),
    ] = "unspecified"
    note: Annotated[str, Meta(description="Why in words, for the audit record.")] = ""


class _Session(_Confirmed, frozen=True, kw_only=True):
    id: Annotated[str, Meta(description="Id of the session.", min_length=1)]


class _Members(_Confirmed, frozen=True, kw_only=True):
    group: Annotated[str, Meta(description="Name or id of the group.", min_length=1)]
    members: Annotated[tuple[str, ...], Meta(description="People and groups, by name.", min_length=1)]


class _Provider(_Confirmed, frozen=True, kw_only=True):
    name: str
    issuer_url: str
    client_id: str
    client_secret: Annotated[
        str, Meta(description="The assistant sees what is given here; it can be set later at a terminal.")
    ] = ""
    redirect_uri: str = ""
    groups_claim_path: str = "groups"
    groups_claim_format: Literal["string-array"] = "string-array"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    iat_window_seconds: int = 300
    jwks_cache_ttl_seconds: int = 3600


class _Mapping(_Confirmed, frozen=True, kw_only=True):
    provider_id: Annotated[str, Meta(min_length=1)]
    group_name: Annotated[str, Meta(description="As the provider writes it, letter by letter.", min_length=1)]
    role_id: Annotated[str, Meta(description="Such as r-operator.", min_length=1)]


Run = Callable[[ApiCall, Any], Awaitable[Any]]


class Tool(Struct, frozen=True, kw_only=True):
    """A tool that reads."""

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    run: Run

    def description_for_clients(self) -> Mapping[str, Any]:
        """As ``tools/list`` gives it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": _schema_of(self.arguments),
            "annotations": self._hints(),
        }

    def _hints(self) -> Mapping[str, bool]:
        return {"readOnlyHint": True, "openWorldHint": False}


class ChangingTool(Tool, frozen=True, kw_only=True):
    """A tool that changes something, after it was confirmed."""

    will_happen: Run
    """Says what a call would do. It makes the checks that the API can make without the change."""
    destructive: bool = True

    def _hints(self) -> Mapping[str, bool]:
        return {"readOnlyHint": False, "destructiveHint": self.destructive, "openWorldHint": False}


def _schema_of(arguments: type[Arguments]) -> Mapping[str, Any]:
    (_, components) = msgspec.json.schema_components([arguments], ref_template="#/$defs/{name}")
    schema = dict(components[arguments.__name__])
    return {name: value for name, value in schema.items() if name not in ("title", "description")}


def _query(arguments: Arguments) -> dict[str, str]:
    """Arguments as parameters of a query; empty ones are left out."""
    return {name: str(value) for name, value in msgspec.to_builtins(arguments).items() if value != ""}


def _lists(*path: str) -> Run:
    async def run(call: ApiCall, arguments: Arguments) -> Any:
        return await call("GET", *path, query=_query(arguments))

    return run


def _shows(*path: str, by: str = "name", then: tuple[str, ...] = ()) -> Run:
    async def run(call: ApiCall, arguments: Arguments) -> Any:
        return await call("GET", *path, getattr(arguments, by), *then)

    return run


def _posts(*path: str, by: str = "name", then: tuple[str, ...] = ()) -> Run:
    async def run(call: ApiCall, arguments: Arguments) -> Any:
        return await call("POST", *path, getattr(arguments, by), *then)

    return run


async def _revocation(call: ApiCall, arguments: _Revoke) -> Any:
    body = {"reason": arguments.reason, "note": arguments.note}
    return await call("POST", "certificates", arguments.serial, "revoke", body=body)


async def _end_of_session(call: ApiCall, arguments: _Session) -> Any:
    return await call("DELETE", "auth", "sessions", arguments.id)


def _says(sentence: str) -> Run:
    async def run(_: ApiCall, arguments: Arguments) -> Any:
        return {"summary": sentence.format_map({name: getattr(arguments, name) for name in arguments.__struct_fields__})}

    return run


def _summarises(sentence: str, shown: Run, member: str) -> Run:
    """A sentence, and what the API says of the thing that the change is about."""

    async def run(call: ApiCall, arguments: Arguments) -> Any:
        return {**await _says(sentence)(call, arguments), member: await shown(call, arguments)}

    return run


def _changes_members(member: Literal["add", "remove"]) -> Run:
    async def run(call: ApiCall, arguments: _Members) -> Any:
        return await call("PATCH", "groups", arguments.group, "members", body={member: list(arguments.members)})

    return run


async def _new_provider(call: ApiCall, arguments: _Provider) -> Any:
    return await call("POST", "auth", "oidc", "providers", body=_provider_body(arguments))


async def _test_of_provider(call: ApiCall, arguments: _Provider) -> Any:
    checks = await call("POST", "auth", "oidc", "test", body=_provider_body(arguments))
    return {
        "summary": f"People will be able to sign in with {arguments.name}, once groups are mapped to roles.",
        "checks": checks,
    }


def _provider_body(arguments: _Provider) -> dict[str, Any]:
    given: dict[str, Any] = msgspec.to_builtins(arguments)
    return {name: value for name, value in given.items() if name != "confirm" and value != ""}


async def _new_mapping(call: ApiCall, arguments: _Mapping) -> Any:
    body = {"provider_id": arguments.provider_id, "group_name": arguments.group_name, "role_id": arguments.role_id}
    return await call("POST", "auth", "oidc", "group-mappings", body=body)


def _tool(name: str, title: str, description: str, arguments: type[Arguments], run: Run) -> Tool:
    return Tool(name=PREFIX + name, title=title, description=description, arguments=arguments, run=run)


_IMPACT = _shows("persons", then=("impact",))
_GROUP = _shows("groups", by="group")
READING = (
    _tool("whoami", "Who am I", "As whom the tools act, and which permissions that has.", Arguments, _lists("whoami")),
    _tool("server", "Server", "Version and addresses of the server, and its root certificates.", Arguments, _lists("version")),
    _tool("find_people", "Find people", "People by words of their names, or their beginnings.", _Search, _lists("persons")),
    _tool("show_person", "Show a person", "A person: names, mail, groups, whether they may sign in.", _Named, _shows("persons")),
    _tool("find_groups", "Find groups", "Groups by words of their names, or their beginnings.", _Search, _lists("groups")),
    _tool("show_group", "Show a group", "A group and its members.", _Named, _shows("groups")),
    _tool("list_applications", "List applications", "OAuth and OpenID clients.", _Paged, _lists("oauth2", "clients")),
    _tool(
        "show_application",
        "Show an application",
        "A client with its settings and scope maps.",
        _Named,
        _shows("oauth2", "clients"),
    ),
    _tool(
        "find_certificates",
        "Find certificates",
        "Certificates by a name in them, or by whom they speak for; with neither all, the newest first.",
        _Certificates,
        _lists("certificates"),
    ),
    _tool(
        "show_certificate",
        "Show a certificate",
        "One certificate, and who asked for it.",
        _Serial,
        _shows("certificates", by="serial"),
    ),
    _tool("list_provisioners", "List provisioners", "By which ways certificates can be had.", _Paged, _lists("provisioners")),
    _tool("list_sessions", "List sessions", "Sessions of a person that have not ended.", _Person, _lists("auth", "sessions")),
    _tool("list_roles", "List roles", "Roles and what they allow.", Arguments, _lists("auth", "roles")),
    _tool(
        "list_grants",
        "List grants",
        "Who holds which role, where it comes from, and until when.",
        Arguments,
        _lists("auth", "grants"),
    ),
    _tool(
        "list_identity_providers",
        "List identity providers",
        "Providers of others that people sign in with.",
        Arguments,
        _lists("auth", "oidc", "providers"),
    ),
    _tool(
        "list_provider_sign_ins",
        "List sign-ins with providers",
        "Sign-ins with identity providers of others, and why those that failed did.",
        _SignIns,
        _lists("auth", "oidc", "sign-ins"),
    ),
    _tool(
        "explain_sign_in",
        "Explain a sign-in",
        "Claim, groups, mappings, roles and permissions of one sign-in with a provider, or the check that failed.",
        _SignIn,
        _shows("auth", "oidc", "sign-ins", by="id"),
    ),
    _tool(
        "search_audit",
        "Search the audit record",
        "What happened, the newest first: who did it, and how it ended.",
        _Events,
        _lists("audit"),
    ),
)
CHANGING = (
    ChangingTool(
        name=f"{PREFIX}disable_person",
        title="Disable a person",
        description="End everything that a person is signed in to, and let them sign in no more until they are enabled.",
        arguments=_ChangePerson,
        run=_posts("persons", then=("disable",)),
        will_happen=_summarises(
            "{name} will be signed out everywhere, and may not sign in until they are enabled.", _IMPACT, "ends"
        ),
    ),
    ChangingTool(
        name=f"{PREFIX}enable_person",
        title="Enable a person",
        description="Let a disabled person sign in again.",
        arguments=_ChangePerson,
        run=_posts("persons", then=("enable",)),
        will_happen=_summarises("{name} may sign in again.", _shows("persons"), "person"),
        destructive=False,
    ),
    ChangingTool(
        name=f"{PREFIX}end_session",
        title="End a session",
        description="Sign a person out of one session.",
        arguments=_Session,
        run=_end_of_session,
        will_happen=_says("The session {id} will end at once, with what applications hold by it."),
    ),
    ChangingTool(
        name=f"{PREFIX}revoke_certificate",
        title="Revoke a certificate",
        description="Revoke a certificate for good.",
        arguments=_Revoke,
        run=_revocation,
        will_happen=_summarises(
            "The certificate {serial} will be revoked, which cannot be undone.",
            _shows("certificates", by="serial"),
            "certificate",
        ),
    ),
    ChangingTool(
        name=f"{PREFIX}add_members",
        title="Add members to a group",
        description="Add people or groups to a group. They get what it gives: permissions, scopes, certificates.",
        arguments=_Members,
        run=_changes_members("add"),
        will_happen=_summarises("{members} will be members of {group}, and get what it gives.", _GROUP, "group"),
        destructive=False,
    ),
    ChangingTool(
        name=f"{PREFIX}remove_members",
        title="Remove members from a group",
        description="Remove people or groups from a group. They lose what it gives.",
        arguments=_Members,
        run=_changes_members("remove"),
        will_happen=_summarises("{members} will not be members of {group} any more, and lose what it gives.", _GROUP, "group"),
    ),
    ChangingTool(
        name=f"{PREFIX}auth_create_oidc_provider",
        title="Create an identity provider",
        description="Let people sign in with an identity provider of others. It is checked before it is stored.",
        arguments=_Provider,
        run=_new_provider,
        will_happen=_test_of_provider,
        destructive=False,
    ),
    ChangingTool(
        name=f"{PREFIX}auth_add_group_mapping",
        title="Map a group to a role",
        description="Let everyone whom an identity provider counts to a group have a role.",
        arguments=_Mapping,
        run=_new_mapping,
        will_happen=_says(
            "Everyone whom the provider {provider_id} counts to the group {group_name} will have the role {role_id}."
        ),
        destructive=False,
    ),
)
TOOLS: tuple[Tool, ...] = (*READING, *CHANGING)
