"""The names of this server, which only its own certificate may carry. Pure.

Anyone who had a certificate for one of them could be taken for this server, by everyone who trusts its root, and would be told
their passwords. So no provisioner grants them to anyone, whatever its administrators may have.
"""

from __future__ import annotations

from collections.abc import Iterable

from sealwright.ca import names
from sealwright.ca.errors import CertificateNameRefused, NameNotGranted
from sealwright.ca.models import Name, NameType
from sealwright.confusables import shown


class OwnNames:
    """Host names and addresses by which clients reach this server."""

    def __init__(self, texts: Iterable[str]) -> None:
        """`texts`: as they are set; each has its canonical form here, so that no spelling is another name."""
        self._names = frozenset(name for text in texts if (name := _read(text)) is not None)

    def require_others(self, wanted: Iterable[Name], common_name: str = "") -> None:
        """Raise NameNotGranted where one of these names is, or covers, a name of this server."""
        for name in wanted:
            if name in self._names or self._covered(name):
                raise _reserved(name.value)
        if common_name:
            self._require_other_common_name(common_name)

    def _require_other_common_name(self, text: str) -> None:
        """Old clients read a host name there; a text that cannot be one is harmless."""
        name = _read(text)
        if name is not None and (name in self._names or self._covered(name)):
            raise _reserved(text)

    def _covered(self, name: Name) -> bool:
        """A wildcard stands for exactly one label (RFC 6125, section 6.4.3)."""
        if name.type is not NameType.DNS or not name.value.startswith("*."):
            return False
        return any(
            own.type is NameType.DNS and own.value.partition(".")[2] == name.value.removeprefix("*.") for own in self._names
        )


def _read(text: str) -> Name | None:
    """The name that a text stands for; None for what no certificate can carry."""
    try:
        return names.parse(text.removesuffix("."))
    except CertificateNameRefused:
        return None


def _reserved(name: str) -> NameNotGranted:
    return NameNotGranted(
        f"You may not have the name {shown(name)}: it belongs to this server.",
        reasons=("names by which clients reach this server are certified for the server alone",),
        hint="Give your service another name. The server makes its own certificate, for the dns_names in its settings.",
    )
