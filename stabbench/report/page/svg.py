"""Pictures as SVG inside a page: drawn by matplotlib, and rewritten so that a page may refuse every inline style.

A strict Content-Security-Policy forbids ``style`` attributes and elements, not presentation attributes: whatever
matplotlib writes as a style becomes attributes, and known colours get a class, by which the style sheet makes them
darker or lighter. The result is the same to the last byte each time.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup

from stabbench.errors import StabbenchError, how_to_install
from stabbench.escape import one_line, printable
from stabbench.report.page.colours import COLOURS, NAMES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_LEAVES = (f"{_SVG}use", f"{_SVG}path")
_DROPPED = (f"{_SVG}metadata", f"{_SVG}style")
_POINTS_TO_PIXELS = 4 / 3


def check_drawable() -> None:
    """Find out before the training that a page can be drawn.

    Raises:
        StabbenchError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise StabbenchError("the report needs matplotlib", how_to_install("matplotlib", "plot")) from error


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Settings for all that is drawn for a page.

    Raises:
        StabbenchError: matplotlib is not installed.
    """
    check_drawable()
    import matplotlib

    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "stabbench",
        "text.parse_math": False,  # a name with two $ is not a formula
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "path.simplify": False,
        **dict.fromkeys(
            ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), COLOURS["ink"]
        ),
    }
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # Of letters that its own font lacks: the reader's browser chooses the font.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def shown(text: str, most: int = 28) -> str:
    """A text as a picture shows it: in one line, without control characters, cut where it is long."""
    text = printable(one_line(text))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def as_svg(figure: Figure, name: str, label: str, titles: Mapping[str, Sequence[str]] | None = None) -> Markup:
    """A finished figure as the text of an ``svg`` element.

    Args:
        figure: Drawn within :func:`drawing`.
        name: Different for each picture of a page.
        label: What it shows, for readers who do not see it.
        titles: For the ``gid`` of an artist one text for each of its marks, or one for all of them: tooltips.
    """
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ElementTree.fromstring(file.getvalue())
    _add_titles(root, titles or {})
    for parent in root.iter():
        for child in [child for child in parent if child.tag in _DROPPED]:
            parent.remove(child)
        _rewrite_style(parent)
        _shorten(parent)
    _rename(root, name)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    root.attrib.update(
        {
            "width": f"{width * _POINTS_TO_PIXELS:.0f}",
            "height": f"{height * _POINTS_TO_PIXELS:.0f}",
            "stroke-linejoin": "round",
            "role": "img",
            "aria-label": printable(one_line(label)),
        }
    )
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        element.tail = None
        if element.text is not None and not element.text.strip():
            element.text = None
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _add_titles(root: Element, titles: Mapping[str, Sequence[str]]) -> None:
    """A ``title`` in every mark of an artist, in the order in which it was drawn."""
    for group in root.iter(f"{_SVG}g"):
        texts = titles.get(group.get("id", ""), ())
        if len(texts) == 1:
            _title(group, texts[0])
        elif texts:
            hidden = {id(leaf) for defs in group.iter(f"{_SVG}defs") for leaf in defs.iter()}
            marks = [leaf for leaf in group.iter() if leaf.tag in _LEAVES and id(leaf) not in hidden]
            for mark, text in zip(marks, texts, strict=True):
                _title(mark, text)


def _title(element: Element, text: str) -> None:
    title = Element(f"{_SVG}title")
    title.text = printable(one_line(text))
    element.insert(0, title)


def _rewrite_style(element: Element) -> None:
    """Declarations of a style as presentation attributes. Of a ``font`` only the size is kept."""
    for declaration in filter(None, (part.strip() for part in element.attrib.pop("style", "").split(";"))):
        key, _, value = declaration.partition(":")
        value = value.strip()
        if key == "font":
            size = re.search(r"([\d.]+)px", value)
            element.set("font-size", size[1] if size else "9")
        elif key not in ("stroke-linejoin", "stroke-linecap", "stroke-miterlimit"):
            element.set(key, value)
    classes = [
        f"{prefix}-{NAMES[colour]}"
        for attribute, prefix in (("fill", "f"), ("stroke", "s"))
        if (colour := element.get(attribute, "")) in NAMES
    ]
    if classes:
        element.set("class", " ".join(classes))


def _shorten(element: Element) -> None:
    """Coordinates to a hundredth of a point, in few bytes."""
    for name in ("d", "x", "y", "transform", "points"):
        if value := element.get(name):
            rounded = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value)
            element.set(name, re.sub(r"\s*([MLQCZHV])\s*", r"\1", rounded).strip() if name == "d" else rounded)


def _rename(root: Element, name: str) -> None:
    """Keep the identifiers that are referred to, each with the picture's own name in it; drop the others."""
    used: set[str] = set()
    for element in root.iter():
        link = element.attrib.pop(_LINK, "")
        if link.startswith("#"):
            used.add(link[1:])
            element.set("href", f"#{name}-{link[1:]}")
        if found := re.fullmatch(r"url\(#(.+)\)", element.get("clip-path", "")):
            used.add(found[1])
            element.set("clip-path", f"url(#{name}-{found[1]})")
    for element in root.iter():
        identifier = element.attrib.pop("id", "")
        if identifier in used:
            element.set("id", f"{name}-{identifier}")
