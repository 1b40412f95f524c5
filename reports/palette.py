"""The colours of all figures and pages, in one place.

The series colours are those of Okabe and Ito, told apart by all eyes. Lines and marks take those
with a contrast of at least 3 to white; the light ones are fills with an outline. Text never takes a
series colour, but an ink with a contrast of at least 4.5.
Source: Okabe and Ito (2002), Color Universal Design, jfly.uni-koeln.de/color.
"""

from __future__ import annotations

BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
ORANGE = "#E69F00"
SKY = "#56B4E9"
YELLOW = "#F0E442"
BLACK = "#000000"

LINES = (BLUE, VERMILLION, GREEN, PURPLE)
FILLS = (BLUE, ORANGE, GREEN, SKY, PURPLE)  # neighbours differ in lightness, so that they work in grey
OTHERS = "#C9CFD4"
LACK = ("#FBDCC8", "#F0A070", "#D55E00", "#7A2C00")  # from a little to much, each darker than the one before

PAPER = "#FFFFFF"
PANEL = "#F5F7F9"
SHADE = "#E9EDF0"
GRID = "#E1E6EA"
EDGE = "#8A949E"
INK = "#1B1F24"
SOFT = "#56606B"
BLUE_INK = "#005A8C"
GREEN_INK = "#006B4F"
RED_INK = "#A63C00"
AMBER_INK = "#7A5200"


def contrast(one: str, other: str = PAPER) -> float:
    """Contrast of two colours, 1 to 21, as WCAG 2 defines it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
