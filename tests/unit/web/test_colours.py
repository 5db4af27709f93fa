"""Contrast of what is written on what, in both schemes (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from importlib.resources import files

import pytest

SHEET = files("sealwright.web").joinpath("static/style.css").read_text()
LIGHT, DARK = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", part)) for part in SHEET.split("prefers-color-scheme: dark", 1))
WRITTEN = [
    *((ink, ground) for ink in ("ink", "ink-soft", "accent", "accent-strong") for ground in ("paper", "surface", "sunken")),
    *(("ink", f"{state}-wash") for state in ("good", "soon", "bad", "off", "accent")),
    *((state, f"{state}-wash") for state in ("good", "soon", "bad", "off", "accent")),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-strong"),
    ("bad", "surface"),
    ("bad", "paper"),
    ("ink", "line"),
]
DRAWN = [(edge, ground) for edge in ("edge", "bad", "accent", "good") for ground in ("surface", "paper")]


def luminance(colour):
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_contrast_is_computed_as_defined():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), WRITTEN)
def test_text_can_be_read(scheme, ink, ground):
    assert contrast(scheme[ink], scheme[ground]) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), DRAWN)
def test_edges_of_controls_can_be_seen(scheme, edge, ground):
    assert contrast(scheme[edge], scheme[ground]) >= 3


def test_both_schemes_have_the_same_colours():
    assert set(LIGHT) == set(DARK)


def test_colours_are_named_once_and_used_by_name():
    used = SHEET.partition("@layer elements {")[2]
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", used)) == {"#fff"}  # the ground of a QR code, in either scheme


def test_dark_scheme_changes_nothing_but_colours_and_shadows():
    [dark] = re.findall(r"@media \(prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}\s*\}", SHEET, re.DOTALL)
    names = {line.partition(":")[0].strip() for line in dark.split(";") if line.strip()}
    assert names - {f"--{name}" for name in DARK} == {"--shadow"}
