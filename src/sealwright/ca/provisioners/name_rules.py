"""What an OIDC provisioner asks of a person before it grants names: one rule for the first certificate and for its renewals."""

from __future__ import annotations

from collections.abc import Iterable

from sealwright.ca import names
from sealwright.ca.models import Name, NameType
from sealwright.ca.provisioners.administrators import Bearer, mentions
from sealwright.ca.provisioners.errors import IdentityRefused
from sealwright.ca.provisioners.models import OidcDefinition


def in_wanted_group(definition: OidcDefinition, groups: Iterable[str], account_id: str, group_ids: frozenset[str]) -> bool:
    """Whether someone is in a group that the provisioner asks for; where it asks for none, everyone is."""
    wanted = definition.groups
    return not wanted or mentions(wanted, Bearer("", frozenset(groups), account_id, group_ids))


def require_domain(definition: OidcDefinition, mail: Name) -> None:
    """Raise IdentityRefused where a canonical mail address is in none of the domains that the provisioner names."""
    domains = definition.domains
    if domains and mail.value.rpartition("@")[2] not in {domain.lower() for domain in domains}:
        raise IdentityRefused(
            f"The mail address {mail.value} is in none of the domains of the provisioner {definition.name}.",
            reasons=(f"domains: {', '.join(domains)}",),
            hint="Use an account with an address in one of these domains.",
        )


def own_names(issuer_url: str, subject: str, mails: Iterable[str]) -> tuple[Name, ...]:
    """The names that belong to a person: their mail addresses, and the URI of issuer and `sub`."""
    addresses = [names.canonical(Name(NameType.EMAIL, mail)) for mail in mails]
    return (*addresses, names.uri_of_subject(issuer_url, subject))
