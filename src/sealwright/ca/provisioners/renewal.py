"""What an OIDC provisioner asks of the directory before a person of this server gets or renews a certificate. Pure.

What an ID token said may not be true any more, and of its own people this server knows better: anyone who lost an address, a
group or the right to ask for any name gets no certificate that says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from sealwright.ca import names
from sealwright.ca.errors import CertificateNameRefused
from sealwright.ca.models import Name, NameType, Person
from sealwright.ca.provisioners.administrators import Bearer, mentions
from sealwright.ca.provisioners.errors import IdentityRefused
from sealwright.ca.provisioners.models import WELL_KNOWN, OidcDefinition
from sealwright.ca.provisioners.name_rules import in_wanted_group, own_names, require_domain


def check_still_held(definition: OidcDefinition, person: Person, subject_name: str, held: Iterable[Name]) -> None:
    """Raise IdentityRefused where `person` would not be given a certificate with this subject and these names today.

    Every address that the person has is theirs; but only the primary one makes an administrator, as at the first certificate.
    """
    if not in_wanted_group(definition, person.groups, person.id, person.group_ids):
        raise IdentityRefused(
            f"{person.name} is in none of the groups any more that the provisioner {definition.name} asks for.",
            reasons=(f"groups: {', '.join(definition.groups)}",),
            hint="Ask to be added to one of these groups.",
        )
    mails = _addresses(person.mails)
    if definition.allow_unverified_email:
        mails |= _addresses(person.unverified_mails)
    primary = person.primary_mail if _addresses([person.primary_mail]) & mails else ""
    if mentions(definition.admins, Bearer(primary, person.groups, person.id, person.group_ids)):
        return
    if subject_name not in ("", person.id):
        _refuse(subject_name, person)
    issuer_url = definition.configuration_url.removesuffix(WELL_KNOWN)
    own = frozenset(own_names(issuer_url, person.id, [mail.value for mail in mails]))
    for name in held:
        if name not in own:
            _refuse(name.value, person)
        if name.type is NameType.EMAIL:
            require_domain(definition, name)


def _refuse(name: str, person: Person) -> NoReturn:
    raise IdentityRefused(
        f"{name} is not a name that {person.name} may have any more.",
        reasons=("a certificate carries only names that its person has when it is signed",),
        hint="Sign in again, and ask for a new certificate.",
    )


def _addresses(texts: Iterable[str]) -> set[Name]:
    """Those of `texts` that are mail addresses, in the form that certificates have."""
    found = set()
    for text in texts:
        try:
            found.add(names.canonical(Name(NameType.EMAIL, text)))
        except CertificateNameRefused:  # a group, or an address that no certificate can have
            continue
    return found
