"""A page as one HTML file, or as a folder with its style beside it. Every text is escaped, whatever it holds."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from stabbench._system.files import write_whole
from stabbench._version import __version__
from stabbench.errors import StabbenchError
from stabbench.escape import one_line, printable
from stabbench.report.page.colours import COLOURS
from stabbench.report.page.document import Page

FILES = Path(__file__).parent
INDEX, STYLE = "index.html", "style.css"
#: The ending of a page in one file; a path without it is a folder.
SUFFIX = ".html"
# Characters of a table's cell; more are wrapped.
LONG = 44


def page_files(path: Path) -> list[Path]:
    """The files that a page at ``path`` is."""
    return [path] if path.suffix == SUFFIX else [path / INDEX, path / STYLE]


def write_page(page: Page, path: Path) -> None:
    """One file if ``path`` ends in .html; otherwise a folder with the page and its style sheet.

    Each file is written whole or not at all.

    Raises:
        StabbenchError: It cannot be written.
    """
    style = _style()
    alone = path.suffix == SUFFIX
    try:
        if not alone:
            path.mkdir(exist_ok=True)
            write_whole(path / STYLE, style)
        write_whole(page_files(path)[0], as_html(page, style if alone else None))
    except OSError as error:
        raise StabbenchError(f"{path}: {error.strerror}", "the runs are stored; name another file") from error


def as_html(page: Page, style: str | None) -> str:
    """The page's text.

    Its own Content-Security-Policy lets it load nothing, run nothing, and have no style but its own.

    Args:
        page: The page.
        style: The style sheet, which becomes part of the page; None where it is in a file beside it.
    """
    template = _ENVIRONMENT.get_template("page.html.jinja")
    allowed = "'self'" if style is None else f"'sha256-{_digest(style)}'"
    return template.render(
        page=page,
        style=None if style is None else Markup(style),
        style_file=STYLE,
        allowed=allowed,
        colours=COLOURS,
        version=__version__,
    )


def _style() -> str:
    return (FILES / STYLE).read_text(encoding="utf-8")


def _digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _shown(value: object) -> object:
    """Every text that the template prints: without what a reader cannot see, and in one line."""
    return value if isinstance(value, Markup) else printable(one_line(str(value)))


def _is_long(value: object) -> bool:
    """Whether a cell's text is worth more than one line."""
    return len(str(value)) > LONG


_ENVIRONMENT = Environment(
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    loader=FileSystemLoader(FILES),
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.tests["long"] = _is_long
