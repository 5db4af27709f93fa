"""Text armour around DER (RFC 7468): written for certificates, and read in one pass, however the text was made up."""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_LINE = 64
_MARK = b"-----"
_BEGIN = b"BEGIN "
_END = b"END "
_LONGEST_LABEL = 40
_LABEL_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 "
_BLANK = b" \t\r\n\v\f"
_CERTIFICATE = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})


class NotBase64(ValueError):
    """What stands between the two boundaries is not base64."""


class Block(NamedTuple):
    """One block: what its boundaries say, and what stands between them."""

    label: str
    end_label: str
    """Of the closing boundary; another than `label` where the text was put together wrongly."""
    text: bytes

    def der(self) -> bytes:
        """The bytes that the block holds; raises NotBase64."""
        try:
            return binascii.a2b_base64(self.text.translate(None, _BLANK), strict_mode=True)
        except binascii.Error as cause:
            raise NotBase64(f"the block {self.label} is not base64") from cause


def blocks(text: bytes) -> Iterator[Block]:
    """The blocks of `text` in order; what stands before, between and behind them is passed over.

    The text is cut at every row of five hyphens, once: a search for the end of each beginning would take the square of the
    length where beginnings have no end.
    """
    pieces = text.split(_MARK)
    at = 0
    for number, piece in enumerate(pieces[:-2]):
        if number >= at and piece.startswith(_BEGIN) and pieces[number + 2].startswith(_END):
            begin, end = _label(piece, _BEGIN), _label(pieces[number + 2], _END)
            if begin is not None and end is not None:
                yield Block(begin, end, pieces[number + 1])
                at = number + 3


def certificates(text: bytes) -> list[bytes]:
    """The DER of every certificate in `text`; raises NotBase64."""
    return [block.der() for block in blocks(text) if block.label == block.end_label and block.label in _CERTIFICATE]


def certificate_pem(der: bytes) -> str:
    """A certificate as a PEM block."""
    text = binascii.b2a_base64(der, newline=False).decode("ascii")
    lines = "\n".join([text[start : start + _LINE] for start in range(0, len(text), _LINE)])
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def certificates_pem(chain: Iterable[bytes]) -> str:
    """Several certificates, one after the other."""
    return "".join(certificate_pem(der) for der in chain)


def _label(piece: bytes, word: bytes) -> str | None:
    """The label of a boundary, which begins with `word`, or None where the piece is no such boundary."""
    if len(piece) > len(word) + _LONGEST_LABEL:
        return None
    label = piece[len(word) :]
    return label.decode() if label and not label.strip(_LABEL_BYTES) else None
