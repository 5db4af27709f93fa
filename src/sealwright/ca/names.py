"""Subject alternative names: telling their types apart, one canonical form for each, and refusing hostile ones.

A canonical name is what stands in the certificate, and what policy compares. Nothing is repaired in silence but case
(RFC 4343) and the spelling of addresses (RFC 5952); whatever else is wrong is refused in words.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote

import idna

from sealwright.ca.errors import NameRefused
from sealwright.ca.models import Name, NameType
from sealwright.ca.texts import hostile_character, scripts_of, shown

MOST_NAMES = 100
LONGEST_DNS = 253
LONGEST_LABEL = 63
LONGEST_EMAIL = 254
LONGEST_LOCAL_PART = 64
LONGEST_URI = 2048
LONGEST_COMMON_NAME = 64
"""Characters, as RFC 5280 counts them (ub-common-name), and not bytes: a name in other letters than Latin may have as many."""
HIGHEST_PORT = 65535

_PLAIN_DNS = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_BEHIND_ADDRESS = re.compile(r"[%/]")
"""What follows an address in the name of an interface or a network: those are told apart as addresses, and then refused."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_URI = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]++|%[0-9A-Fa-f]{2})*+")
_URI_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?")
_SPIFFE_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")
_SPIFFE_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+)*")
_HOST_NEEDED = frozenset({"http", "https", "ws", "wss", "ftp", "ldap", "ldaps", "spiffe"})
_FRAGMENT_SAFE = "-_.~$&+,/:;=?@!()*"
_REVERSE_ZONES = ("in-addr.arpa", "ip6.arpa")
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
"""Scripts that are written together (Unicode TS 39, "highly restrictive")."""


def type_of(text: str) -> NameType:
    """The type that a bare text stands for: an IP address, something with a URL scheme, something with ``@``, else DNS."""
    if (text[:1].isdigit() or ":" in text) and _address(_BEHIND_ADDRESS.split(text, 1)[0]) is not None:
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
    """The one form of `name` that may stand in a certificate; what has none raises NameRefused."""
    value = _CANONICAL[name.type](name.value)
    return name if value == name.value else Name(name.type, value)


def canonical_all(names: Iterable[Name], *, at_most: int = MOST_NAMES) -> tuple[Name, ...]:
    """Canonical names in the given order, each once. Too many, or a SPIFFE identity beside another URI, raise NameRefused."""
    wanted = tuple(names)
    if len(wanted) > at_most:
        raise NameRefused(f"The request has {len(wanted)} names; a certificate may have {at_most}.")
    result = tuple(dict.fromkeys(map(canonical, wanted)))
    if len(result) == 1:
        return result
    uris = [name.value for name in result if name.type is NameType.URI]
    if len(uris) > 1 and any(uri.startswith("spiffe:") for uri in uris):
        raise NameRefused(
            "A SPIFFE identity must be the only URI of its certificate.", hint="Ask for one certificate per identity."
        )
    return result


def common_name(text: str) -> str:
    """`text` when it may be a common name, else NameRefused. Its letters are left as they are."""
    if not text or text != text.strip():
        raise NameRefused(f"The common name {shown(text)} is empty or begins or ends with a space.")
    if len(text) > LONGEST_COMMON_NAME:
        raise NameRefused(f"The common name {shown(text)} has {len(text)} characters; {LONGEST_COMMON_NAME} are allowed.")
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
    except NameRefused:
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
        raise NameRefused(f"The {kind} {shown(text)} contains {found}, which is not allowed in a name.")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if "%" in text or not text.isascii():
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _canonical_ip(text: str) -> str:
    address = _address(text)
    if address is None:
        why = "names a network" if "/" in text else "names an interface" if "%" in text else "is not an IP address"
        raise NameRefused(f"{shown(text)} {why}; a certificate names single addresses such as 192.0.2.1 or 2001:db8::1.")
    if address.is_unspecified or address.is_multicast or str(address) == "255.255.255.255":
        raise NameRefused(f"{shown(text)} is not the address of one machine.")
    return str(address)


def _canonical_dns(text: str) -> str:
    """A host name, perhaps with a wildcard as its first label."""
    lower = text.lower() if text.isascii() else text
    if lower.startswith("*."):
        base = _canonical_host(lower[2:], text)
        if "." not in base:
            raise NameRefused(
                f"The wildcard {shown(text)} would cover a whole top-level domain; two labels must follow the star."
            )
        return lower
    if "*" in lower:
        raise NameRefused(f"The wildcard in {shown(text)} must be the whole first label, as in *.example.org.")
    return _canonical_host(lower, text)


def _canonical_host(lower: str, given: str) -> str:
    """The host `lower`; `given` is how it was written, for the words of a refusal."""
    if len(given) > LONGEST_DNS:
        raise NameRefused(f"The DNS name {shown(given)} has {len(given)} octets; {LONGEST_DNS} are allowed.")
    if _PLAIN_DNS.fullmatch(lower) is None:
        raise NameRefused(_what_is_wrong_with_host(lower, given))
    last = lower.rpartition(".")[2]
    if last.isdigit() or last.startswith("0x"):
        raise NameRefused(f"The DNS name {shown(given)} ends in a number and could be taken for an address.")
    if lower.endswith(_REVERSE_ZONES) and any(lower == zone or lower.endswith(f".{zone}") for zone in _REVERSE_ZONES):
        raise NameRefused(f"{shown(given)} lies in a reverse zone; ask for the IP address instead.")
    if "--" in lower:
        for label in lower.split("."):
            if label[2:4] == "--":
                _check_a_label(label, given)
    return lower


def _what_is_wrong_with_host(lower: str, given: str) -> str:
    found = hostile_character(given)
    if found is not None:
        return f"The DNS name {shown(given)} contains {found}, which is not allowed in a name."
    labels = lower.split(".")
    too_long = [label for label in labels if len(label) > LONGEST_LABEL]
    causes = (
        (not given.isascii(), "is not ASCII; write it in its encoded form, with labels that begin with xn--"),
        (not lower, "is empty"),
        (lower.endswith("."), "ends with a dot; write it without"),
        ("_" in lower, "contains an underscore, which a host name may not have"),
        ("" in labels, "has an empty label"),
        (bool(too_long), f"has the label {shown(''.join(too_long[:1]))}, longer than {LONGEST_LABEL} octets"),
        (any(label.strip("-") != label for label in labels), "has a label that begins or ends with a hyphen"),
    )
    wrong = next((words for true, words in causes if true), "may only contain letters, digits, hyphens and dots")
    return f"The DNS name {shown(given)} {wrong}."


def _check_a_label(label: str, given: str) -> None:
    """Refuse an encoded label that decodes to nothing sensible, or to letters that imitate others."""
    if not label.startswith("xn--"):
        raise NameRefused(f"The label {shown(label)} in {shown(given)} has hyphens in places that are reserved.")
    try:
        decoded = idna.ulabel(label)
        again = idna.alabel(decoded).decode()
    except (idna.IDNAError, UnicodeError) as cause:
        raise NameRefused(f"The label {shown(label)} in {shown(given)} is not a valid encoded name (IDNA 2008).") from cause
    if again != label:
        raise NameRefused(f"The label {shown(label)} in {shown(given)} is not in its normal form, which is {again}.")
    scripts = scripts_of(decoded)
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        mixed = " and ".join(sorted(script.capitalize() for script in scripts))
        raise NameRefused(f"The label {shown(label)} in {shown(given)} mixes letters of {mixed}, which can imitate another name.")


def _canonical_email(text: str) -> str:
    local, at, host = text.rpartition("@")
    if not at or not local or not host:
        raise NameRefused(f"{shown(text)} is not an e-mail address.")
    if len(local) > LONGEST_LOCAL_PART or len(text) > LONGEST_EMAIL:
        raise NameRefused(
            f"The e-mail address {shown(text)} is too long: {LONGEST_EMAIL} characters, {LONGEST_LOCAL_PART} before the @."
        )
    _refuse_hostile("e-mail address", text)
    if not local.isascii():
        raise NameRefused(
            f"The local part of the e-mail address {shown(text)} is not ASCII, which certificates here cannot carry."
        )
    if _LOCAL_PART.fullmatch(local) is None:
        raise NameRefused(f"The local part of the e-mail address {shown(text)} may not contain quotes, spaces or misplaced dots.")
    return f"{local}@{_canonical_host(host.lower() if host.isascii() else host, host)}"


def _canonical_uri(text: str) -> str:
    if len(text) > LONGEST_URI:
        raise NameRefused(f"The URI {shown(text)} has {len(text)} octets; {LONGEST_URI} are allowed.")
    _refuse_hostile("URI", text)
    parts = _URI_PARTS.fullmatch(text) if _URI.fullmatch(text) else None
    if parts is None:
        raise NameRefused(f"{shown(text)} is not an absolute URI; other characters than ASCII must be percent-encoded.")
    scheme, authority, path, query, fragment = parts.groups()
    scheme = scheme.lower()
    if authority is None:
        if scheme in _HOST_NEEDED:
            raise NameRefused(f"The URI {shown(text)} has no host.")
        if path.isdigit() and int(path[:6]) <= HIGHEST_PORT:
            raise NameRefused(f"{shown(text)} looks like a host with a port; a certificate names hosts without ports.")
        if not path:
            raise NameRefused(f"The URI {shown(text)} names nothing.")
        return scheme + text[len(scheme) :]
    if scheme == "spiffe":
        return _canonical_spiffe(text, authority, path, plain=query is None and fragment is None)
    host = _canonical_authority(authority, text)
    return f"{scheme}://{host}{text[len(scheme) + 3 + len(authority) :]}"


def _canonical_authority(authority: str, given: str) -> str:
    if "@" in authority:
        raise NameRefused(f"The URI {shown(given)} holds a user name, which a certificate may not.")
    host, colon, port = authority, "", ""
    bracketed = authority.startswith("[")
    end = authority.find("]") + 1 if bracketed else authority.find(":") if ":" in authority else len(authority)
    host, rest = authority[:end], authority[end:]
    if rest:
        colon, port = rest[0], rest[1:]
        if colon != ":" or not port.isdigit() or int(port[:6]) > HIGHEST_PORT:
            raise NameRefused(f"The URI {shown(given)} has a port that is not a number up to {HIGHEST_PORT}.")
    if not host:
        raise NameRefused(f"The URI {shown(given)} has no host.")
    if bracketed:
        address = _address(host[1:-1])
        if address is None or ":" not in str(address):
            raise NameRefused(f"The URI {shown(given)} has brackets around something that is no IPv6 address.")
        host = f"[{address}]"
    elif not (host[-1].isdigit() and _address(host)):
        host = _canonical_host(host.lower(), host)
    return f"{host}{colon}{port}"


def _canonical_spiffe(text: str, authority: str, path: str, *, plain: bool) -> str:
    """SPIFFE-ID, section 2: a lower-case trust domain and a path of non-empty segments, nothing else."""
    domain = authority.lower()
    if _SPIFFE_DOMAIN.fullmatch(domain) is None or not plain:
        raise NameRefused(
            f"The SPIFFE identity {shown(text)} may have a trust domain and a path, but no user, port, query or fragment."
        )
    if _SPIFFE_PATH.fullmatch(path) is None:
        raise NameRefused(f"The SPIFFE identity {shown(text)} has a path with an empty, relative or unusual segment.")
    return f"spiffe://{domain}{path}"


_CANONICAL: Mapping[NameType, Callable[[str], str]] = {
    NameType.DNS: _canonical_dns,
    NameType.IP: _canonical_ip,
    NameType.EMAIL: _canonical_email,
    NameType.URI: _canonical_uri,
}
