"""What can be set on an OAuth client: one table, which storage, the API, the terminal and the reference page are made from.

Owns: names, types, defaults and rules of a client's metadata. Never knows a database, a request or a terminal; code that shows or
changes a client may import it.
"""

from __future__ import annotations

from sealwright.client_metadata.authentication import (
    ASSERTION_ALGORITHMS,
    AUTHENTICATION_MEMBERS,
    CERTIFICATE_METHODS,
    KEY_METHODS,
    SECRET_ALGORITHMS,
    SECRET_METHODS,
    SUBJECT_MEMBERS,
    AuthenticationMethod,
    require_complete_authentication,
    require_fetchable,
    require_public_keys,
)
from sealwright.client_metadata.declaration import MemberDeclaration, ServerDefaults, SetBy, Verb, VerbEffect
from sealwright.client_metadata.distinguished_names import ComparableName, NameMalformed, comparable_name, parse_name
from sealwright.client_metadata.errors import ClientRefused
from sealwright.client_metadata.fapi import FAPI_ALGORITHMS, require_fapi
from sealwright.client_metadata.loopback import LONGEST_URI, loopback_parts
from sealwright.client_metadata.profiles import FAPI_2, PROFILES, asked_of, library_settings, profile_members
from sealwright.client_metadata.redirect_uris import (
    has_origin_of_redirect,
    has_permitted_scheme,
    require_landing_url,
    require_redirect_uri,
)
from sealwright.client_metadata.rows_of_application import ClientKind
from sealwright.client_metadata.rules import (
    LARGEST_IMAGE,
    MOST_URIS,
    is_client_name,
    require_client_name,
    require_resource,
    usual_grace_seconds,
)
from sealwright.client_metadata.table import ClientMetadata, Row, effective, rows

__all__ = [
    "ASSERTION_ALGORITHMS",
    "AUTHENTICATION_MEMBERS",
    "CERTIFICATE_METHODS",
    "FAPI_2",
    "FAPI_ALGORITHMS",
    "KEY_METHODS",
    "LARGEST_IMAGE",
    "LONGEST_URI",
    "MOST_URIS",
    "PROFILES",
    "SECRET_ALGORITHMS",
    "SECRET_METHODS",
    "SUBJECT_MEMBERS",
    "AuthenticationMethod",
    "ClientKind",
    "ClientMetadata",
    "ClientRefused",
    "ComparableName",
    "MemberDeclaration",
    "NameMalformed",
    "Row",
    "ServerDefaults",
    "SetBy",
    "Verb",
    "VerbEffect",
    "asked_of",
    "comparable_name",
    "effective",
    "has_origin_of_redirect",
    "has_permitted_scheme",
    "is_client_name",
    "library_settings",
    "loopback_parts",
    "parse_name",
    "profile_members",
    "require_client_name",
    "require_complete_authentication",
    "require_fapi",
    "require_fetchable",
    "require_landing_url",
    "require_public_keys",
    "require_redirect_uri",
    "require_resource",
    "rows",
    "usual_grace_seconds",
]
