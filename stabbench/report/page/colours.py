"""The colours of the page's pictures. Each has a name, by which the style sheet replaces it where the page is dark."""

from __future__ import annotations

#: By name, as on a light page. The values in `style.css` are the same; a test compares the two.
COLOURS = {
    "paper": "#ffffff",
    "ink": "#1b1f24",
    "muted": "#6a737d",
    "faint": "#d0d7de",
    "failed": "#c4320a",
    "ok": "#0b63c5",
    # A second recipe and so on, in pictures with a line for each.
    "second": "#8a4fbf",
    "third": "#0f7b6c",
    "fourth": "#9a6700",
    "fifth": "#bf3989",
    "sixth": "#57606a",
    # Levels of a map, from the lowest to the highest, on a dark page as well.
    **{f"level{i}": colour for i, colour in enumerate(
        ("#f7f2e4", "#efdfb4", "#e5c57c", "#d7a454", "#bd7c42", "#975739", "#6c3a34", "#4a2838")
    )},
}  # fmt: skip

SERIES = ("ok", "second", "third", "fourth", "fifth", "sixth")
LEVELS = tuple(name for name in COLOURS if name.startswith("level"))
# A study's own picture has some things black, whatever the settings.
NAMES = {"#000000": "ink", **{colour: name for name, colour in COLOURS.items()}}
