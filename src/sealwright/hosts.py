"""One rule for host names and for the mail addresses at them: settings, URLs, people, tokens and certificates share it.

What one part of the server accepts, another must not refuse later: a name that `init` takes can stand in the server's
certificate, and a person's address in theirs.
"""

from __future__ import annotations

import ipaddress
import re

from sealwright.confusables import hostile_character, scripts_of, shown

LONGEST_HOST = 253
LONGEST_LABEL = 63
LONGEST_MAIL = 254
LONGEST_LOCAL_PART = 64

URL_HOST = r"(?:[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_][A-Za-z0-9_-]*)*|\[[0-9A-Fa-f:.]+\])"
"""The host of a URL that is written down for others, not served or certified: RFC 3986, section 3.2.2, allows underscores."""

_PLAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_REVERSE_ZONES = ("in-addr.arpa", "ip6.arpa")
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
"""Scripts that are written together (Unicode TS 39, "highly restrictive")."""


class HostRefused(ValueError):
    """Why a text is not a host name, address or mail address, as the end of a sentence that begins with the text."""


def canonical_host(text: str) -> str:
    """A host name in lower case; what cannot stand in a certificate raises HostRefused."""
    if len(text) > LONGEST_HOST:
        raise HostRefused(f"has {len(text)} characters; {LONGEST_HOST} are allowed")
    lower = text.lower() if text.isascii() else text
    if _PLAIN.fullmatch(lower) is None:
        raise HostRefused(_what_is_wrong(lower, text))
    last = lower.rpartition(".")[2]
    if last.isdigit() or last.startswith("0x"):
        raise HostRefused("ends in a number and could be taken for an address")
    if lower.endswith(_REVERSE_ZONES) and any(lower == zone or lower.endswith(f".{zone}") for zone in _REVERSE_ZONES):
        raise HostRefused("lies in a reverse zone; name the IP address instead")
    if "--" in lower:
        for label in lower.split("."):
            if label[2:4] == "--":
                _check_encoded_label(label)
    return lower


def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that `text` is; None for another text, and for an address with an interface."""
    if "%" in text or not text.isascii():
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_this_machine(text: str) -> bool:
    """Whether a host name or address never leads to another machine (RFC 6761, section 6.3)."""
    address = address_of(text)
    return address.is_loopback if address is not None else text == "localhost"


def canonical_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """The usual text of an address (RFC 5952); one that no single machine has raises HostRefused."""
    if address.is_unspecified or address.is_multicast or str(address) == "255.255.255.255":
        raise HostRefused("is not the address of one machine")
    return str(address)


def canonical_host_or_address(text: str) -> str:
    """A host name or IP address by which a machine is reached."""
    address = address_of(text)
    return canonical_host(text) if address is None else canonical_address(address)


def canonical_mail(text: str) -> str:
    """A mail address with its host in lower case, and in its encoded form where it has other letters (RFC 5280, section 7.5).

    What cannot stand in a certificate raises HostRefused: a local part with other letters would need RFC 9598.
    """
    local, at, host = text.rpartition("@")
    if not at or not local or not host:
        raise HostRefused("is not an e-mail address, which is written as name@host")
    if len(local) > LONGEST_LOCAL_PART or len(text) > LONGEST_MAIL:
        raise HostRefused(f"is too long: an address has {LONGEST_MAIL} characters, {LONGEST_LOCAL_PART} of them before the @")
    found = hostile_character(text)
    if found is not None:
        raise HostRefused(f"contains {found}, which is not allowed in a name")
    if not local.isascii():
        raise HostRefused("has a local part that is not ASCII, which certificates here cannot carry (RFC 9598)")
    if _LOCAL_PART.fullmatch(local) is None:
        raise HostRefused("has a local part with quotes, spaces or misplaced dots")
    try:
        return f"{local}@{canonical_host(host if host.isascii() else encoded_host(host))}"
    except HostRefused as cause:
        raise HostRefused(f"has the host {shown(host)}, which {cause}") from cause


def encoded_host(text: str) -> str:
    """A host name with other letters than ASCII, in labels that begin with xn-- (IDNA 2008)."""
    import idna  # noqa: PLC0415 - its tables are large, and few names have such letters

    try:
        return idna.encode(text, uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError) as cause:
        raise HostRefused("has letters that no host name may have (IDNA 2008)") from cause


def _what_is_wrong(lower: str, given: str) -> str:
    found = hostile_character(given)
    if found is not None:
        return f"contains {found}, which is not allowed in a name"
    labels = lower.split(".")
    too_long = [label for label in labels if len(label) > LONGEST_LABEL]
    causes = (
        (not given.isascii(), "is not ASCII; write it in its encoded form, with labels that begin with xn--"),
        (not lower, "is empty"),
        (lower.endswith("."), "ends with a dot; write it without"),
        ("_" in lower, "contains an underscore, which a host name may not have"),
        ("" in labels, "has an empty label"),
        (bool(too_long), f"has the label {shown(''.join(too_long[:1]))}, longer than {LONGEST_LABEL} characters"),
        (any(label.strip("-") != label for label in labels), "has a label that begins or ends with a hyphen"),
    )
    return next((words for true, words in causes if true), "may only contain letters, digits, hyphens and dots")


def _check_encoded_label(label: str) -> None:
    """Refuse an encoded label that decodes to nothing sensible, or to letters that imitate others."""
    if not label.startswith("xn--"):
        raise HostRefused(f"has the label {shown(label)} with hyphens in places that are reserved")
    import idna  # noqa: PLC0415 - as above

    try:
        decoded = idna.ulabel(label)
        again = idna.alabel(decoded).decode()
    except (idna.IDNAError, UnicodeError) as cause:
        raise HostRefused(f"has the label {shown(label)}, which is not a valid encoded name (IDNA 2008)") from cause
    if again != label:
        raise HostRefused(f"has the label {shown(label)}, which is not in its normal form {again}")
    scripts = scripts_of(decoded)
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        mixed = " and ".join(sorted(script.capitalize() for script in scripts))
        raise HostRefused(f"has the label {shown(label)}, which mixes letters of {mixed} and can imitate another name")
