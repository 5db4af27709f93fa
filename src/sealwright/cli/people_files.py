"""Files with people of other servers: CSV, LDIF, and the export of Kanidm. Each person is read with the number of their line."""

from __future__ import annotations

import base64
import binascii
import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple, TextIO

from sealwright.cli.errors import ValueRefused

ATTRIBUTES = (
    "given_name", "family_name", "middle_name", "nickname", "profile", "picture", "website", "gender", "birthdate", "zoneinfo",
    "locale", "phone_number", "address.formatted", "address.street_address", "address.locality", "address.region",
    "address.postal_code", "address.country",
)  # fmt: skip
COLUMNS = ("name", "display_name", "mail", "password_hash", "ssh_public_key", *ATTRIBUTES)
MOST_KANIDM = 256 * 1024 * 1024
LONGEST_ENTRY = 2_000
"""Lines of one entry of an LDIF file."""


class FileFault(NamedTuple):
    """A line that cannot be read."""

    line: int
    field: str
    detail: str
    hint: str = ""


Person = dict[str, Any]
Reader = Callable[[TextIO], Iterator[Person | FileFault]]


# --- CSV -------------------------------------------------------------------------------------------------------------


def read_csv(file: TextIO) -> Iterator[Person | FileFault]:
    """A heading with the names of the columns, then one person in each line; several addresses are separated by spaces."""
    rows = csv.reader(file, strict=True)
    heading = [each.strip().lower() for each in _next_row(rows) or ()]
    _require_columns(heading)
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as cause:
            yield FileFault(line, "line", f"It is not CSV: {cause}.", "Put a value with commas or quotes in quotes.")
            return
        if row is None:
            return
        if not any(each.strip() for each in row):
            continue
        if len(row) != len(heading):
            yield FileFault(
                line, "line", f"It has {len(row)} values, and the heading {len(heading)}.", "Put a value with commas in quotes."
            )
            continue
        yield _of_csv(dict(zip(heading, (each.strip() for each in row), strict=True)), line)


def _next_row(rows: Iterator[list[str]]) -> list[str] | None:
    try:
        return next(rows, None)
    except csv.Error as cause:
        raise ValueRefused(f"line 1 is not CSV: {cause}.") from cause


def _require_columns(heading: Sequence[str]) -> None:
    if not {"name", "display_name"} <= set(heading):
        raise ValueRefused(
            "line 1: the heading names the columns, and name and display_name must be among them.",
            hint="Begin the file like: name,display_name,mail,password_hash",
        )
    for column in heading:
        if column not in COLUMNS:
            close = get_close_matches(column, COLUMNS, n=1)
            hint = f"Perhaps {close[0]} was meant." if close else f"There are {', '.join(COLUMNS)}."
            raise ValueRefused(f"line 1: the column {column[:40]!r} is not known.", hint=hint)
    if len(set(heading)) != len(heading):
        raise ValueRefused("line 1: a column is there twice.")


def _of_csv(values: Mapping[str, str], line: int) -> Person:
    keys = values.get("ssh_public_key", "")
    return {
        "line": line,
        "name": values["name"],
        "display_name": values["display_name"],
        "mails": values.get("mail", "").replace(";", " ").split(),
        "password_hash": values.get("password_hash", ""),
        "attributes": {name: values[name] for name in ATTRIBUTES if values.get(name)},
        "ssh_public_keys": {"imported": keys} if keys else {},
    }


# --- LDIF ------------------------------------------------------------------------------------------------------------

_PERSON_CLASSES = {"person", "inetorgperson", "organizationalperson", "posixaccount", "account"}
_LDAP_ATTRIBUTES = {"givenname": "given_name", "sn": "family_name", "labeleduri": "website", "preferredlanguage": "locale"}


def read_ldif(file: TextIO) -> Iterator[Person | FileFault]:
    """Entries of people (RFC 2849). Other entries, such as groups, are skipped."""
    for line, entry in _entries(file):
        if isinstance(entry, FileFault):
            yield entry
            continue
        if "changetype" in entry:
            hint = "Export the entries themselves, with ldapsearch -LLL."
            yield FileFault(line, "changetype", "This is a change, and no export.", hint)
            continue
        if _PERSON_CLASSES & {each.lower() for each in entry.get("objectclass", ())}:
            yield _of_ldap(entry, line)


def _entries(file: TextIO) -> Iterator[tuple[int, dict[str, list[str]] | FileFault]]:
    """Each entry with its first line: attributes in lower case, without options."""
    first, fault = 0, None
    lines: list[str] = []
    for number, raw in enumerate(_with_end(file), 1):
        text = raw.rstrip("\r\n")
        if text.startswith("#"):
            continue
        if text.startswith(" ") and lines:
            lines[-1] += text[1:]
        elif text:
            first = first or number
            lines.append(text)
        elif lines:
            yield first, _attributes(lines, first) if fault is None else fault
            first, fault, lines = 0, None, []
        if len(lines) > LONGEST_ENTRY and fault is None:
            fault = FileFault(first, "entry", f"It has more than {LONGEST_ENTRY} lines.", "Part entries by empty lines.")
            lines = lines[:1]


def _with_end(file: TextIO) -> Iterator[str]:
    yield from file
    yield "\n"


def _attributes(lines: Sequence[str], first: int) -> dict[str, list[str]] | FileFault:
    found: dict[str, list[str]] = {}
    for text in lines:
        name, colon, value = text.partition(":")
        if not colon:
            return FileFault(first, text[:40], "This line of the entry has no colon.", "Write it as attribute: value.")
        if value.startswith("<"):
            return FileFault(first, name, "Its value is in another file, which is not read.", "Export the value itself.")
        if value.startswith(":"):
            try:
                value = base64.b64decode(value[1:].strip(), validate=True).decode()
            except (binascii.Error, ValueError):
                if name.partition(";")[0].lower() in (*_LDAP_ATTRIBUTES, "uid", "cn", "displayname", "mail", "userpassword"):
                    return FileFault(first, name, "Its value is not text in base64.")
                continue
        found.setdefault(name.partition(";")[0].lower(), []).append(value.strip())
    return found


def _of_ldap(entry: Mapping[str, Sequence[str]], line: int) -> Person:
    def one(*names: str) -> str:
        return next((entry[name][0] for name in names if entry.get(name)), "")

    attributes = {ours: entry[theirs][0] for theirs, ours in _LDAP_ATTRIBUTES.items() if entry.get(theirs)}
    phone = one("telephonenumber", "mobile")
    if phone.startswith("+"):
        attributes["phone_number"] = phone
    if "website" in attributes:
        attributes["website"] = attributes["website"].split()[0]
    keys = entry.get("sshpublickey", ())
    return {
        "line": line,
        "name": one("uid").lower(),
        "display_name": one("displayname", "cn", "uid"),
        "mails": list(dict.fromkeys(entry.get("mail", ()))),
        "password_hash": one("userpassword"),
        "attributes": attributes,
        "ssh_public_keys": {f"key{number}": key for number, key in enumerate(keys, 1)},
    }


# --- Kanidm ----------------------------------------------------------------------------------------------------------

_UNFIT_FOR_A_TAG = re.compile(r"[^A-Za-z0-9_.@-]")
_PBKDF2 = {"PBKDF2": "sha256", "PBKDF2_SHA1": "sha1", "PBKDF2_SHA512": "sha512"}


def read_kanidm(file: TextIO) -> Iterator[Person | FileFault]:
    """The people of a backup that `kanidmd database backup` wrote. Their line is the number of their entry."""
    text = file.read(MOST_KANIDM + 1)
    if len(text) > MOST_KANIDM:
        raise ValueRefused(f"the export is longer than {MOST_KANIDM} characters.")
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise ValueRefused(f"this is not an export of Kanidm: it is not JSON ({str(cause)[:100]}).") from cause
    entries = whole.get("entries") if isinstance(whole, dict) else whole
    if not isinstance(entries, list):
        raise ValueRefused(
            "this is not an export of Kanidm: it has no entries.", hint="Make one with: kanidmd database backup FILE"
        )
    for number, entry in enumerate(entries, 1):
        attributes = _attributes_of_kanidm(entry)
        classes = {str(each).lower() for each in _listed(attributes.get("class"))}
        if "person" in classes and not classes & {"recycled", "tombstone", "conflict"}:
            yield _of_kanidm(attributes, number)


def _attributes_of_kanidm(entry: Any) -> Mapping[str, Any]:
    versions = entry.get("ent") if isinstance(entry, dict) else None
    inner = next(iter(versions.values()), None) if isinstance(versions, dict) else None
    attributes = inner.get("attrs") if isinstance(inner, dict) else None
    return attributes if isinstance(attributes, dict) else {}


def _listed(value: Any) -> list[Any]:
    """The values of an attribute, which Kanidm writes as `{kind: [values]}`."""
    inner = next(iter(value.values()), None) if isinstance(value, dict) and value else None
    return inner if isinstance(inner, list) else []


def _of_kanidm(attributes: Mapping[str, Any], line: int) -> Person | FileFault:
    def one(name: str) -> str:
        found = _listed(attributes.get(name))
        first = found[0] if found else ""
        return first if isinstance(first, str) else ""

    mails = _listed(attributes.get("mail"))
    primary, others = (mails[0], mails[1]) if len(mails) == 2 and isinstance(mails[1], list) else ("", [])  # noqa: PLR2004 - as Kanidm writes it
    keys = [each for each in _listed(attributes.get("ssh_publickey")) if isinstance(each, dict)]
    try:
        password_hash = _hash_of_kanidm(_listed(attributes.get("primary_credential")))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return FileFault(line, "primary_credential", f"The password of {one('name')!r} is kept in a form that is not known here.")
    return {
        "line": line,
        "name": one("name"),
        "display_name": one("displayname") or one("name"),
        "mails": [each for each in dict.fromkeys([primary, *others]) if isinstance(each, str) and each],
        "password_hash": password_hash,
        "attributes": {},
        "ssh_public_keys": {
            _UNFIT_FOR_A_TAG.sub("_", str(each.get("t", ""))) or f"key{number}": str(each.get("d", ""))
            for number, each in enumerate(keys, 1)
        },
    }


def _hash_of_kanidm(credentials: Sequence[Any]) -> str:
    """The hash of the password, as it is read here; empty where there is no password. A second factor is not taken over."""
    if not credentials:
        return ""
    password = credentials[0]["d"].get("password")
    if password is None:
        return ""
    ((kind, value),) = password.items()
    if kind == "ARGON2ID":
        salt, key = (_standard(value[each]) for each in ("s", "k"))
        return f"$argon2id$v={value['v']}$m={value['m']},t={value['t']},p={value['p']}${salt}${key}"
    if kind in _PBKDF2:
        rounds, salt, key = value[0], _base64(bytes(value[1])), _base64(bytes(value[2]))
        return f"$pbkdf2-{_PBKDF2[kind]}$i={rounds}${salt}${key}"
    if kind == "SSHA512":
        return f"$ssha512${_base64(bytes(value[0]))}${_base64(bytes(value[1]))}"
    return f"{{{kind}}}"


def _standard(text: str) -> str:
    return text.replace("-", "+").replace("_", "/").rstrip("=")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode()


READERS: Mapping[str, Reader] = {"csv": read_csv, "ldif": read_ldif, "kanidm": read_kanidm}
EXTENSIONS = {".csv": "csv", ".ldif": "ldif", ".ldf": "ldif", ".json": "kanidm"}
