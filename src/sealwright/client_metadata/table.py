"""The one table of what a client has: a row is a field of `ClientMetadata`.

Storage, the API, the commands of `system oauth2`, what a client may register by itself and the reference page are made from
it. So a new setting is a new row in one of the modules `rows_of_…`, and the code that asks for it.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from sealwright.client_metadata.declaration import MemberDeclaration, ServerDefaults, SetBy
from sealwright.client_metadata.rows_of_application import ApplicationRows, ClientKind
from sealwright.client_metadata.rows_of_authentication import AuthenticationRows
from sealwright.client_metadata.rows_of_exchange import ExchangeRows
from sealwright.client_metadata.rows_of_logout import LogoutRows
from sealwright.client_metadata.rows_of_own_tokens import OwnTokenRows
from sealwright.client_metadata.rows_of_proofs import ProofRows
from sealwright.client_metadata.rows_of_redirects import RedirectRows
from sealwright.client_metadata.rows_of_requests import RequestRows
from sealwright.client_metadata.rows_of_sign_in import SignInRows
from sealwright.client_metadata.rows_of_tokens import TokenRows


@dataclass(frozen=True, kw_only=True)
class ClientMetadata(
    LogoutRows,
    TokenRows,
    ProofRows,
    ExchangeRows,
    OwnTokenRows,
    RequestRows,
    SignInRows,
    RedirectRows,
    AuthenticationRows,
    ApplicationRows,
):  # fields of the last base come first
    """Everything that can be set on a client, in the order in which it is shown."""

    @property
    def is_public(self) -> bool:
        """True where the client cannot keep a secret."""
        return self.kind is ClientKind.PUBLIC


class Row(NamedTuple):
    """A row of the table: a field with what is declared of it."""

    name: str
    type: Any
    default: Any
    """`dataclasses.MISSING` where it has to be given at creation."""
    declared: MemberDeclaration

    @property
    def required(self) -> bool:
        """True where a client has no default for it."""
        return self.default is MISSING

    @property
    def is_list(self) -> bool:
        """True where it holds any number of values."""
        return get_origin(self.type) is tuple

    @property
    def choices(self) -> tuple[str, ...]:
        """The values of which it has one; empty where there is no such list."""
        literal = next((each for each in (self.type, *get_args(self.type)) if get_origin(each) is Literal), None)
        return () if literal is None else get_args(literal)

    @property
    def changeable(self) -> bool:
        """True where it can be set on a client that is there."""
        return self.declared.set_by is not SetBy.CREATION


@cache
def rows() -> dict[str, Row]:
    """The rows of the table by their names, in order."""
    hints = get_type_hints(ClientMetadata, include_extras=True)
    found: dict[str, Row] = {}
    for field in fields(ClientMetadata):
        kind, declared = get_args(hints[field.name])
        found[field.name] = Row(field.name, kind, field.default, declared)
    return found


def effective(client: ClientMetadata, defaults: ServerDefaults) -> dict[str, Any]:
    """What holds for a client, member by member."""
    found: dict[str, Any] = {}
    for name, row in rows().items():
        value = getattr(client, name)
        usual = row.declared.usual
        found[name] = usual(client, defaults) if value is None and usual is not None else value
    return found
