"""QR codes, drawn into the page: what a phone reads off the screen."""

from __future__ import annotations

from markupsafe import Markup


def qr_code(text: str) -> Markup:
    """A QR code as inline SVG. segno writes nothing into it but a path of its own."""
    import segno  # noqa: PLC0415 - drawn for a second factor or a link, which is rare

    return Markup(segno.make(text, error="m", micro=False).svg_inline(svgclass="qr", omitsize=True, border=3))  # noqa: S704 - see above
