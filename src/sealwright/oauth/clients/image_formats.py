"""Whether bytes are a PNG, JPEG, GIF or WebP image that a page may show: read from the first byte to the last. Pure.

Pixels of a PNG are unpacked and counted, up to what its size allows. Of the others the structure is read: every block has
to end where its length says, the size comes from the picture itself, and nothing may follow the end.
"""
# ruff: noqa: PLR2004 - the numbers are those of the formats

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable

from msgspec import Struct

from sealwright.client_metadata import LARGEST_IMAGE, ClientRefused

LONGEST_SIDE = 1_024
"""Pixels."""
MOST_FRAMES = 100
"""Of an animation, and scans of a JPEG."""

_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_JPEG_TABLES = frozenset({0xC4, 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE})
"""Huffman and quantization tables, restart interval, application data, comment."""
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""A marker that is none of those within a scan."""
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


class ClientImage(Struct, frozen=True):
    """An image that was read."""

    media_type: str
    width: int
    height: int


class _BadImage(Exception):
    """Why bytes are not an image of their kind."""


class _Bytes:
    """Bytes that are taken one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.at = 0

    def take(self, count: int) -> bytes:
        """The next bytes; refused where there are fewer."""
        taken = self._content[self.at : self.at + count]
        if len(taken) < count:
            raise _BadImage("it ends too early")
        self.at += count
        return taken

    def byte(self) -> int:
        """The next byte."""
        return self.take(1)[0]

    def big(self, count: int) -> int:
        """A number, the highest byte first."""
        return int.from_bytes(self.take(count), "big")

    def little(self, count: int) -> int:
        """A number, the lowest byte first."""
        return int.from_bytes(self.take(count), "little")

    def skip_past_scan(self) -> None:
        """To the marker that ends the coded data of a JPEG scan."""
        found = _AFTER_SCAN.search(self._content, self.at)
        if found is None:
            raise _BadImage("it ends too early")
        self.at = found.start()

    @property
    def left(self) -> int:
        """How many bytes were not taken yet."""
        return len(self._content) - self.at

    @property
    def is_over(self) -> bool:
        """Whether all bytes were taken."""
        return self.at == len(self._content)


def read_image(content: bytes) -> ClientImage:
    """What an image is; raises ClientRefused where it is none, is too large, or is of a kind that is not shown."""
    if len(content) > LARGEST_IMAGE:
        raise ClientRefused(
            f"The image has {len(content)} bytes.", hint=f"At most {LARGEST_IMAGE // 1024} KiB are allowed: make it smaller."
        )
    media_type, reader = _kind_of(content)
    try:
        width, height = reader(_Bytes(content))
    except _BadImage as cause:
        raise ClientRefused(
            f"The image is not a valid {media_type}: {cause}.", hint="Save it again with another program."
        ) from cause
    return ClientImage(media_type, width, height)


def _kind_of(content: bytes) -> tuple[str, Callable[[_Bytes], tuple[int, int]]]:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png", _read_png
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", _read_jpeg
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif", _read_gif
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp", _read_webp
    if b"<svg" in content[:4096].lower():
        raise ClientRefused(
            "The image is an SVG, which is not shown here.",
            reasons=("an SVG is a document that can hold scripts and load others",),
            hint="Save it as PNG.",
        )
    raise ClientRefused("The file is not an image of a kind that is shown here.", hint="Give a PNG, JPEG, GIF or WebP image.")


def _require_size(width: int, height: int) -> None:
    if not 0 < width <= LONGEST_SIDE or not 0 < height <= LONGEST_SIDE:
        raise _BadImage(f"it is {width} by {height} pixels, and each side may have 1 to {LONGEST_SIDE}")


def _require_end(data: _Bytes) -> None:
    if not data.is_over:
        raise _BadImage("something follows its end")


# --- PNG (W3C, third edition) ----------------------------------------------------------------------------------------


def _read_png(data: _Bytes) -> tuple[int, int]:
    data.take(8)
    kind, head = _png_chunk(data)
    if kind != b"IHDR" or len(head) != 13:
        raise _BadImage("it does not begin with its head")
    width, height, depth, colour, packing, filtering, interlaced = struct.unpack(">IIBBBBB", head)
    _require_size(width, height)
    if depth not in _DEPTHS.get(colour, ()) or packing or filtering or interlaced > 1:
        raise _BadImage("its head names a form that does not exist")
    packed = []
    while True:
        kind, content = _png_chunk(data)
        if kind == b"IDAT":
            packed.append(content)
        elif kind == b"IEND":
            break
    _require_end(data)
    expected = _png_length(width, height, depth * _CHANNELS[colour], interlaced=bool(interlaced))
    unpack = zlib.decompressobj()
    try:
        pixels = unpack.decompress(b"".join(packed), expected + 1)  # never more than its size allows: no bomb goes off
    except zlib.error as cause:
        raise _BadImage("its pixels cannot be unpacked") from cause
    if len(pixels) != expected or not unpack.eof:
        raise _BadImage("its pixels are not as many as its size says")
    return width, height


def _png_chunk(data: _Bytes) -> tuple[bytes, bytes]:
    length, kind = data.big(4), data.take(4)
    content = data.take(length)
    if data.big(4) != zlib.crc32(kind + content):
        raise _BadImage("a checksum in it is wrong")
    return kind, content


def _png_length(width: int, height: int, bits: int, *, interlaced: bool) -> int:
    def of(columns: int, lines: int) -> int:
        return lines * (1 + (columns * bits + 7) // 8) if columns else 0

    if not interlaced:
        return of(width, height)
    return sum(
        of(-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in _ADAM7 if width > x and height > y
    )


# --- JPEG (ITU-T T.81) -----------------------------------------------------------------------------------------------


def _read_jpeg(data: _Bytes) -> tuple[int, int]:
    data.take(2)
    size: tuple[int, int] | None = None
    scans = 0
    while True:
        marker = _jpeg_marker(data)
        if marker == 0xD9:
            break
        length = data.big(2)
        content = data.take(max(length - 2, 0))
        if marker in (0xC0, 0xC1, 0xC2):
            if size is not None or len(content) < 6:
                raise _BadImage("it has another head than one")
            height, width = struct.unpack(">HH", content[1:5])
            _require_size(width, height)
            size = width, height
        elif marker == 0xDA:
            scans += 1
            if size is None or scans > MOST_FRAMES:
                raise _BadImage("its scans have no head, or are too many")
            data.skip_past_scan()
        elif marker not in _JPEG_TABLES:
            raise _BadImage("it is of a kind of JPEG that browsers do not show")
    _require_end(data)
    if size is None or not scans:
        raise _BadImage("there is no picture in it")
    return size


def _jpeg_marker(data: _Bytes) -> int:
    if data.byte() != 0xFF:
        raise _BadImage("a block does not end where its length says")
    marker = data.byte()
    while marker == 0xFF:
        marker = data.byte()
    return marker


# --- GIF (89a) -------------------------------------------------------------------------------------------------------


def _read_gif(data: _Bytes) -> tuple[int, int]:
    data.take(6)
    width, height, flags = data.little(2), data.little(2), data.byte()
    _require_size(width, height)
    data.take(2)
    _gif_colours(data, flags)
    frames = 0
    while True:
        kind = data.byte()
        if kind == 0x3B:
            break
        if kind == 0x21:
            data.byte()
            _gif_blocks(data)
        elif kind == 0x2C:
            frames += 1
            left, top, across, down, flags = (*(data.little(2) for _ in range(4)), data.byte())
            if left + across > width or top + down > height or frames > MOST_FRAMES:
                raise _BadImage("a frame is larger than the whole, or there are too many")
            _gif_colours(data, flags)
            if not 2 <= data.byte() <= 8 or not _gif_blocks(data):
                raise _BadImage("a frame has no pixels")
        else:
            raise _BadImage("a block does not end where its length says")
    _require_end(data)
    if not frames:
        raise _BadImage("there is no picture in it")
    return width, height


def _gif_colours(data: _Bytes, flags: int) -> None:
    if flags & 0x80:
        data.take(3 * 2 ** ((flags & 7) + 1))


def _gif_blocks(data: _Bytes) -> int:
    """How many bytes stand in a row of blocks."""
    total = 0
    while length := data.byte():
        data.take(length)
        total += length
    return total


# --- WebP (RFC 9649) -------------------------------------------------------------------------------------------------


def _read_webp(data: _Bytes) -> tuple[int, int]:
    data.take(4)
    if data.little(4) != data.left:
        raise _BadImage("it is not as long as it says")
    data.take(4)
    canvas: tuple[int, int] | None = None
    pictures = 0
    while not data.is_over:
        kind, content = _webp_chunk(data)
        if kind == b"VP8X":
            if canvas is not None or len(content) != 10:
                raise _BadImage("it has another head than one")
            canvas = int.from_bytes(content[4:7], "little") + 1, int.from_bytes(content[7:10], "little") + 1
            _require_size(*canvas)
        elif kind in (b"VP8 ", b"VP8L"):
            pictures += 1
            size = _webp_size(kind, content)
            if canvas not in (None, size):
                raise _BadImage("its picture has another size than it says")
            canvas = size
        elif kind == b"ANMF":
            pictures += 1
            _webp_frame(_Bytes(content), canvas)
    if canvas is None or not 0 < pictures <= MOST_FRAMES:
        raise _BadImage("there is no picture in it, or there are too many")
    return canvas


def _webp_chunk(data: _Bytes) -> tuple[bytes, bytes]:
    kind, length = data.take(4), data.little(4)
    content = data.take(length)
    if length % 2:
        data.take(1)
    return kind, content


def _webp_frame(data: _Bytes, canvas: tuple[int, int] | None) -> None:
    data.take(16)
    while not data.is_over:
        kind, content = _webp_chunk(data)
        if kind in (b"VP8 ", b"VP8L"):
            width, height = _webp_size(kind, content)
            if canvas is None or width > canvas[0] or height > canvas[1]:
                raise _BadImage("a frame is larger than the whole")


def _webp_size(kind: bytes, content: bytes) -> tuple[int, int]:
    if kind == b"VP8 ":
        if len(content) < 10 or content[0] & 1 or content[3:6] != b"\x9d\x01\x2a":
            raise _BadImage("its picture cannot be read")
        width, height = (int.from_bytes(content[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    else:
        if len(content) < 5 or content[0] != 0x2F:
            raise _BadImage("its picture cannot be read")
        packed = int.from_bytes(content[1:5], "little")
        width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    _require_size(width, height)
    return width, height
