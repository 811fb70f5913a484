"""The options that `run` and `compare` share, and how their texts are read."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from stabbench.plan import DEFAULT_MODEL, DEFAULT_SEEDS, DEFAULT_STORE, DEFAULT_TASK

Command = TypeVar("Command", bound=Callable[..., Any])


MOST_SEEDS = 1_000_000


class SeedNumbers(click.ParamType):  # type: ignore[type-arg]  # generic in new versions only
    """``10`` (the seeds 0 to 9) or a list, ``3,7,11``."""

    name = "N|LIST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        if isinstance(value, list):
            return value
        try:
            numbers = [int(item) for item in str(value).rstrip(",").split(",")]
        except ValueError:
            self.fail(f"{value!r} is neither a number of seeds nor a list such as 3,7,11", param, ctx)
        if max(numbers) > MOST_SEEDS:
            self.fail(f"{max(numbers)} is over {MOST_SEEDS:,}", param, ctx)
        # A negative number is no number of seeds; as a list it is refused by name.
        return numbers if "," in str(value) or numbers[0] < 0 else list(range(numbers[0]))


class OutputFile(click.ParamType):  # type: ignore[type-arg]
    """A file that can be created: found out before the training, not after it."""

    name = "FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if path.is_dir():
            self.fail(f"{path} is a folder", param, ctx)
        if not path.parent.is_dir():
            self.fail(f"there is no folder {path.parent}", param, ctx)
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            self.fail(f"{path} cannot be written", param, ctx)
        return path


class PictureFile(OutputFile):
    """A file that matplotlib can draw."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = super().convert(value, param, ctx)
        if path.suffix not in (".png", ".svg", ".pdf"):
            self.fail(f"{path} does not end in .png, .svg or .pdf", param, ctx)
        if importlib.util.find_spec("matplotlib") is None:
            self.fail('matplotlib is not installed: pip install "stabbench[plot]"', param, ctx)
        return path


_STORE = click.option(
    "--store",
    type=click.Path(path_type=Path),
    default=DEFAULT_STORE,
    show_default=True,
    help="Folder of the run store. What it holds is not trained again.",
)

_PLUGIN = click.option(
    "--plugin", "plugins", multiple=True, metavar="MODULE", help="Module or .py file that defines recipes."
)

_RUN_OPTIONS = [
    click.option("--task", default=DEFAULT_TASK, show_default=True, help="See: stabbench list tasks."),
    click.option("--model", default=DEFAULT_MODEL, show_default=True, help="lab, a local folder, or a hub id."),
    click.option("--revision", help="Branch, tag or commit of a hub model."),
    click.option(
        "--data-dir",
        type=click.Path(path_type=Path),
        help="Folder of the official GLUE TSV files; without it GLUE comes from the hub.",
    ),
    click.option(
        "--seeds",
        type=SeedNumbers(),
        default=str(DEFAULT_SEEDS),
        show_default=True,
        help="How many (0 to N-1), or which: 3,7,11.",
    ),
    click.option("--initialisation-seed", type=int, help="The same head and re-initialisation for every run."),
    click.option("--order-seed", type=int, help="The same data order for every run."),
    click.option("--dropout-seed", type=int, help="The same dropout masks for every run."),
    click.option("--stack", type=click.IntRange(min=1), metavar="K", help="Seeds trained together [default: chosen]."),
    click.option("--max-steps", type=click.IntRange(min=1), metavar="N", help="Cut every training short, for trials."),
    click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True),
    click.option("--workers", type=click.IntRange(min=1), help="Processes [default: one a core; one on a GPU]."),
    click.option("--allow-pickle", is_flag=True, help="Load pickled weights: only if you trust the file."),
    click.option("--json", "json_file", type=OutputFile(), help="Write everything to a JSON file."),
    click.option("--plot", "plot_file", type=PictureFile(), help="Draw box and points into a .png, .svg or .pdf file."),
    _STORE,
    _PLUGIN,
]


def run_options(command: Command) -> Command:
    """Add the options of `run` and `compare`."""
    for option in reversed(_RUN_OPTIONS):
        command = option(command)
    return command


def store_option(command: Command) -> Command:
    """Add ``--store``."""
    return _STORE(command)


def plugin_option(command: Command) -> Command:
    """Add ``--plugin``."""
    return _PLUGIN(command)
