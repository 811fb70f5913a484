"""How the texts of options are read: seeds, whole numbers, files to write."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from stabbench.errors import StabbenchError, excerpt, how_to_install
from stabbench.records.seeds import parse_seeds


class SeedNumbers(click.ParamType):  # type: ignore[type-arg]  # generic in new versions only
    """``10`` (the seeds 0 to 9, a range) or a list, ``3,7,11``."""

    name = "N|LIST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Sequence[int]:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        try:
            return parse_seeds(value)
        except StabbenchError as error:
            self.fail(str(error), param, ctx)


class WholeNumber(click.IntRange):
    """Written in one way: Python's ``int`` reads ``1_0``, spaces and the digits of other scripts as well."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and not re.fullmatch("-?[0-9]{1,4000}", value):
            self.fail(f"{excerpt(value)} is no whole number", param, ctx)
        return super().convert(value, param, ctx)


class OutputFile(click.ParamType):  # type: ignore[type-arg]
    """A file that can be created: found out before the training, not after it."""

    name = "FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not str(value):
            self.fail("the name is empty: is a variable not set?", param, ctx)
        path = Path(value)
        if path.is_dir():
            self.fail(f"{path} is a folder", param, ctx)
        folder = path.resolve().parent  # of what a link names
        if not folder.is_dir():
            self.fail(f"there is no folder {folder if path.is_symlink() else path.parent}", param, ctx)
        # A file is written beside the old one, and then takes its place.
        needed = [folder, path] if path.is_file() else [path] if path.exists() else [folder]
        if not all(os.access(place, os.W_OK) for place in needed):
            self.fail(f"{path} cannot be written", param, ctx)
        return path


class PageFile(OutputFile):
    """A page: a file that ends in .html, or a folder for the page and its style sheet, which may not be there yet."""

    name = "FILE|DIR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if path.suffix == ".html":
            super().convert(value, param, ctx)
        elif path.is_dir():
            for name in ("index.html", "style.css"):
                super().convert(path / name, param, ctx)
        elif path.suffix:
            self.fail(f"{path} does not end in .html; a folder has no ending", param, ctx)
        else:
            super().convert(value, param, ctx)
            if path.exists():
                self.fail(f"{path} is a file; a page in one file ends in .html", param, ctx)
        _check_matplotlib(self, param, ctx)
        return path


class PictureFile(OutputFile):
    """A file that matplotlib can draw."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = super().convert(value, param, ctx)
        if path.suffix not in (".png", ".svg", ".pdf"):
            self.fail(f"{path} does not end in .png, .svg or .pdf", param, ctx)
        _check_matplotlib(self, param, ctx)
        return path


def _check_matplotlib(of: OutputFile, param: click.Parameter | None, ctx: click.Context | None) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        of.fail(f"matplotlib is not installed: {how_to_install('matplotlib', 'plot')}", param, ctx)
