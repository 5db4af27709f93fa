"""Subject alternative names: telling their types apart, one canonical form for each, and refusing hostile ones.

A canonical name is what stands in the certificate, and what policy compares. Nothing is repaired in silence but case
(RFC 4343) and the spelling of addresses (RFC 5952); whatever else is wrong is refused in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote

from sealwright.ca.errors import CertificateNameRefused
from sealwright.ca.models import Name, NameType
from sealwright.confusables import hostile_character, shown
from sealwright.hosts import HostRefused, address_of, canonical_address, canonical_host, canonical_mail

MOST_NAMES = 100
LONGEST_URI = 2048
LONGEST_COMMON_NAME = 64
"""Characters, as RFC 5280 counts them (ub-common-name), and not bytes: a name in other letters than Latin may have as many."""
HIGHEST_PORT = 65535

_BEHIND_ADDRESS = re.compile(r"[%/]")
"""What follows an address in the name of an interface or a network: those are told apart as addresses, and then refused."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_URI = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]++|%[0-9A-Fa-f]{2})*+")
_URI_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?")
_SPIFFE_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")
_SPIFFE_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+)*")
_HOST_NEEDED = frozenset({"http", "https", "ws", "wss", "ftp", "ldap", "ldaps", "spiffe"})
_FRAGMENT_SAFE = "-_.~$&+,/:;=?@!()*"


def type_of(text: str) -> NameType:
    """The type that a bare text stands for: an IP address, something with a URL scheme, something with ``@``, else DNS."""
    if (text[:1].isdigit() or ":" in text) and address_of(_BEHIND_ADDRESS.split(text, 1)[0]) is not None:
        return NameType.IP
    if _SCHEME.match(text):
        return NameType.URI
    return NameType.EMAIL if "@" in text else NameType.DNS


def split(texts: Iterable[str]) -> tuple[Name, ...]:
    """Bare texts with their types, as written; not checked."""
    return tuple(Name(type_of(text), text) for text in texts)


def parse(text: str) -> Name:
    """A bare text as a canonical name."""
    return canonical(Name(type_of(text), text))


@lru_cache(maxsize=1024)
def canonical(name: Name) -> Name:
    """The one form of `name` that may stand in a certificate; what has none raises CertificateNameRefused."""
    value = _CANONICAL[name.type](name.value)
    return name if value == name.value else Name(name.type, value)


def canonical_all(names: Iterable[Name], *, at_most: int = MOST_NAMES) -> tuple[Name, ...]:
    """Canonical names in the given order, each once.

    Too many, or a SPIFFE identity beside another URI, raise CertificateNameRefused.
    """
    wanted = tuple(names)
    if len(wanted) > at_most:
        raise CertificateNameRefused(f"The request has {len(wanted)} names; a certificate may have {at_most}.")
    result = tuple(dict.fromkeys(map(canonical, wanted)))
    if len(result) == 1:
        return result
    uris = [name.value for name in result if name.type is NameType.URI]
    if len(uris) > 1 and any(uri.startswith("spiffe:") for uri in uris):
        raise CertificateNameRefused(
            "A SPIFFE identity must be the only URI of its certificate.", hint="Ask for one certificate per identity."
        )
    return result


def common_name(text: str) -> str:
    """`text` when it may be a common name, else CertificateNameRefused. Its letters are left as they are."""
    if not text or text != text.strip():
        raise CertificateNameRefused(f"The common name {shown(text)} is empty or begins or ends with a space.")
    if len(text) > LONGEST_COMMON_NAME:
        raise CertificateNameRefused(
            f"The common name {shown(text)} has {len(text)} characters; {LONGEST_COMMON_NAME} are allowed."
        )
    _refuse_hostile("common name", text)
    return text


def same(left: Name, right: Name) -> bool:
    """Whether two names mean the same, however they are written; a name that is refused equals nothing."""
    if left == right:
        return True
    if left.type is not right.type:
        return False
    try:
        return canonical(left) == canonical(right)
    except CertificateNameRefused:
        return False


def uri_of_subject(issuer_url: str, subject: str) -> Name:
    """The URI by which `step` names a person of an OpenID provider: the issuer's URL with the `sub` as its fragment."""
    return canonical(Name(NameType.URI, f"{issuer_url}#{quote(subject, safe=_FRAGMENT_SAFE)}"))


def _refuse_hostile(kind: str, text: str) -> None:
    """Refuse what a reader cannot see, or sees as something else."""
    if text.isascii() and text.isprintable():
        return
    found = hostile_character(text)
    if found is not None:
        raise CertificateNameRefused(f"The {kind} {shown(text)} contains {found}, which is not allowed in a name.")


def _canonical_ip(text: str) -> str:
    address = address_of(text)
    if address is None:
        why = "names a network" if "/" in text else "names an interface" if "%" in text else "is not an IP address"
        raise CertificateNameRefused(
            f"{shown(text)} {why}; a certificate names single addresses such as 192.0.2.1 or 2001:db8::1."
        )
    try:
        return canonical_address(address)
    except HostRefused as cause:
        raise CertificateNameRefused(f"{shown(text)} {cause}.") from cause


def _canonical_dns(text: str) -> str:
    """A host name, perhaps with a wildcard as its first label."""
    lower = text.lower() if text.isascii() else text
    if lower.startswith("*."):
        base = _canonical_host(lower[2:], text)
        if "." not in base:
            raise CertificateNameRefused(
                f"The wildcard {shown(text)} would cover a whole top-level domain; two labels must follow the star."
            )
        return lower
    if "*" in lower:
        raise CertificateNameRefused(f"The wildcard in {shown(text)} must be the whole first label, as in *.example.org.")
    return _canonical_host(lower, text)


def _canonical_host(host: str, given: str) -> str:
    """The host in its one form; `given` is how the whole was written, for the words of a refusal."""
    try:
        return canonical_host(host)
    except HostRefused as cause:
        raise CertificateNameRefused(f"The DNS name {shown(given)} {cause}.") from cause


def _canonical_email(text: str) -> str:
    try:
        return canonical_mail(text)
    except HostRefused as cause:
        raise CertificateNameRefused(f"The e-mail address {shown(text)} {cause}.") from cause


def _canonical_uri(text: str) -> str:
    if len(text) > LONGEST_URI:
        raise CertificateNameRefused(f"The URI {shown(text)} has {len(text)} bytes; {LONGEST_URI} are allowed.")
    _refuse_hostile("URI", text)
    parts = _URI_PARTS.fullmatch(text) if _URI.fullmatch(text) else None
    if parts is None:
        raise CertificateNameRefused(
            f"{shown(text)} is not an absolute URI; other characters than ASCII must be percent-encoded."
        )
    scheme, authority, path, query, fragment = parts.groups()
    scheme = scheme.lower()
    if authority is None:
        if scheme in _HOST_NEEDED:
            raise CertificateNameRefused(f"The URI {shown(text)} has no host.")
        if path.isdigit() and int(path[:6]) <= HIGHEST_PORT:
            raise CertificateNameRefused(f"{shown(text)} looks like a host with a port; a certificate names hosts without ports.")
        if not path:
            raise CertificateNameRefused(f"The URI {shown(text)} names nothing.")
        return scheme + text[len(scheme) :]
    if scheme == "spiffe":
        return _canonical_spiffe(text, authority, path, plain=query is None and fragment is None)
    host = _canonical_authority(authority, text)
    return f"{scheme}://{host}{text[len(scheme) + 3 + len(authority) :]}"


def _canonical_authority(authority: str, given: str) -> str:
    if "@" in authority:
        raise CertificateNameRefused(f"The URI {shown(given)} holds a user name, which a certificate may not.")
    host, colon, port = authority, "", ""
    bracketed = authority.startswith("[")
    end = authority.find("]") + 1 if bracketed else authority.find(":") if ":" in authority else len(authority)
    host, rest = authority[:end], authority[end:]
    if rest:
        colon, port = rest[0], rest[1:]
        if colon != ":" or not port.isdigit() or int(port[:6]) > HIGHEST_PORT:
            raise CertificateNameRefused(f"The URI {shown(given)} has a port that is not a number up to {HIGHEST_PORT}.")
    if not host:
        raise CertificateNameRefused(f"The URI {shown(given)} has no host.")
    if bracketed:
        address = address_of(host[1:-1])
        if address is None or ":" not in str(address):
            raise CertificateNameRefused(f"The URI {shown(given)} has brackets around something that is not an IPv6 address.")
        host = f"[{address}]"
    elif not (host[-1].isdigit() and address_of(host)):
        host = _canonical_host(host, host)
    return f"{host}{colon}{port}"


def _canonical_spiffe(text: str, authority: str, path: str, *, plain: bool) -> str:
    """SPIFFE-ID, section 2: a lower-case trust domain and a path of non-empty segments, nothing else."""
    domain = authority.lower()
    if _SPIFFE_DOMAIN.fullmatch(domain) is None or not plain:
        raise CertificateNameRefused(
            f"The SPIFFE identity {shown(text)} may have a trust domain and a path, but no user, port, query or fragment."
        )
    if _SPIFFE_PATH.fullmatch(path) is None:
        raise CertificateNameRefused(f"The SPIFFE identity {shown(text)} has a path with an empty, relative or unusual segment.")
    return f"spiffe://{domain}{path}"


_CANONICAL: Mapping[NameType, Callable[[str], str]] = {
    NameType.DNS: _canonical_dns,
    NameType.IP: _canonical_ip,
    NameType.EMAIL: _canonical_email,
    NameType.URI: _canonical_uri,
}
