import struct
import zlib

import pytest

from sealwright.client_metadata import ClientRefused
from sealwright.oauth.clients.image_formats import read_image


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width=3, height=2, *, pixels=None, depth=8, colour=6, interlaced=0, more=b""):
    if pixels is None:
        pixels = height * (b"\0" + bytes(4 * width))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    body = chunk(b"IHDR", head) + more + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def segment(marker, content):
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def jpeg(width=3, height=2, *, head=0xC0, scan=b"\x12\xff\x00\x34\xff\xd0\x56"):
    size = struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"
    begin = b"\xff\xd8" + segment(0xE0, b"JFIF\0") + segment(0xDB, bytes(65)) + segment(head, size)
    return begin + segment(0xDA, b"\1\1\0\0\x3f\0") + scan + b"\xff\xd9"


def gif(width=3, height=2, *, across=None, frame=b"\2\x02\x4c\x01\0"):
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    extension = b"\x21\xf9\x04\0\0\0\0\0"
    return head + extension + b"\x2c" + struct.pack("<HHHHB", 0, 0, across or width, height, 0) + frame + b"\x3b"


def riff(body):
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def part(kind, content):
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def lossy(width=3, height=2):
    return part(b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"\0")


def lossless(width=3, height=2):
    return part(b"VP8L", b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14))


def canvas(width=3, height=2):
    return part(b"VP8X", bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"))


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (png(), "image/png"),
        (png(pixels=b"\0\0" * 2, depth=2, colour=3), "image/png"),
        (png(more=chunk(b"tEXt", b"Title\0x")), "image/png"),
        (jpeg(), "image/jpeg"),
        (jpeg(head=0xC2), "image/jpeg"),
        (gif(), "image/gif"),
        (riff(lossy()), "image/webp"),
        (riff(lossless()), "image/webp"),
        (riff(canvas() + lossy() + part(b"EXIF", b"x")), "image/webp"),
        (riff(canvas() + part(b"ANIM", bytes(6)) + part(b"ANMF", bytes(16) + lossless())), "image/webp"),
    ],
)
def test_image_is_known_by_its_content(content, media_type):
    found = read_image(content)
    assert (found.media_type, found.width, found.height) == (media_type, 3, 2)


@pytest.mark.parametrize("make", [png, jpeg, gif, lambda *size: riff(lossy(*size)), lambda *size: riff(lossless(*size))])
def test_image_of_more_pixels_than_are_shown_is_refused(make):
    for size in ((1025, 1), (1, 1025)):
        with pytest.raises(ClientRefused, match="each side may have"):
            read_image(make(*size))


@pytest.mark.parametrize("content", [png(), jpeg(), gif(), riff(lossy()), riff(lossless()), riff(canvas() + lossy())])
def test_image_that_is_cut_short_or_goes_on_is_refused(content):
    for length in range(1, len(content)):
        with pytest.raises(ClientRefused):
            read_image(content[:length])
    with pytest.raises(ClientRefused):
        read_image(content + b"<script>alert(1)</script>")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (png(pixels=bytes(50_000_000)), "not as many as its size says"),
        (png(pixels=b"\0"), "not as many as its size says"),
        (png(depth=3), "a form that does not exist"),
        (png(0, 0, pixels=b""), "0 by 0 pixels"),
        (png()[:-20] + b"x" + png()[-19:], "checksum"),
        (jpeg(head=0xC3), "kind of JPEG"),
        (jpeg(scan=b"\1" + (segment(0xDA, b"\1\1\0\0\x3f\0") + b"\1") * 200), "too many"),
        (gif(across=4), "larger than the whole"),
        (gif(frame=b"\2\0"), "no pixels"),
        (riff(canvas(5, 5) + lossy()), "another size"),
        (riff(canvas()), "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG"),
        (b"<?xml version='1.0'?><SVG/>", "SVG"),
        (b"GIF8", "not an image of a kind"),
        (b"", "not an image of a kind"),
        (b"%PDF-1.7", "not an image of a kind"),
        (b"\x89PNG\r\n\x1a\n" + bytes(300_000), "bytes"),
    ],
)
def test_what_is_no_image_or_a_bomb_is_refused_by_its_reason(content, told):
    with pytest.raises(ClientRefused) as refusal:
        read_image(content)
    assert told in refusal.value.detail


def test_interlaced_png_has_the_pixels_of_its_seven_passes():
    passes = ((1, 1), (1, 1), (1, 1), (1, 3))  # of 3 by 2 pixels, those that are not empty: height, width
    pixels = b"".join(height * (b"\0" + bytes(4 * width)) for height, width in passes)
    assert read_image(png(pixels=pixels, interlaced=1)).width == 3
