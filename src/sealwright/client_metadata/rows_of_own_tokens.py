"""Which scopes the tokens have that the client gets for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from sealwright.client_metadata import rules
from sealwright.client_metadata.declaration import MemberDeclaration, SetBy, Verb, VerbEffect


@dataclass(frozen=True, kw_only=True)
class OwnTokenRows:
    """Which scopes the tokens have that the client gets for itself."""

    own_groups_only: Annotated[
        bool,
        MemberDeclaration(
            doc="For itself it has the scopes that its scope maps give to its own groups; otherwise those of all its maps.",
            label="scopes of own groups only",
            set_by=SetBy.ADMINISTRATOR,
            verbs=(
                Verb(
                    name="enable-own-groups-only",
                    doc="Give the client, for itself, the scopes alone that its scope maps give to its own groups.\n\n"
                    "So a map can give people scopes that the client does not have for itself. Without own groups it has none.",
                    said="Tokens that {client} gets for itself have the scopes of its own groups",
                    example="enable-own-groups-only backup",
                    value=True,
                ),
                Verb(
                    name="disable-own-groups-only",
                    doc="Give the client, for itself, the scopes of all its scope maps, as is the default.",
                    said="Tokens that {client} gets for itself have the scopes of all its maps",
                    example="disable-own-groups-only backup",
                    value=False,
                ),
            ),
        ),
    ] = False
    own_groups: Annotated[
        tuple[str, ...],
        MemberDeclaration(
            doc="Groups whose scopes it has for itself, by name, where it has those of its own groups only.",
            label="own groups",
            set_by=SetBy.ADMINISTRATOR,
            rule=rules.require_group_name,
            verbs=(
                Verb(
                    name="add-own-group",
                    doc="Let the client have for itself what its scope map gives to the members of a group.",
                    said="{client} has for itself what its map gives to {value}",
                    example="add-own-group backup backup_readers",
                    argument="group",
                    effect=VerbEffect.ADD,
                ),
                Verb(
                    name="remove-own-group",
                    doc="Take from the client what its scope map gives to the members of a group.",
                    said="{client} has not for itself what its map gives to {value}",
                    example="remove-own-group backup backup_readers",
                    argument="group",
                    effect=VerbEffect.REMOVE,
                ),
            ),
        ),
    ] = ()
