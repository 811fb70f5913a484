"""The options that the commands share, and how their texts are read."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from stabbench.plan import (
    DEFAULT_BASELINES,
    DEFAULT_MODEL,
    DEFAULT_SEEDS,
    DEFAULT_STORE,
    DEFAULT_TASK,
    DEVICES,
    EXECUTORS,
    MOST_SEEDS,
)
from stabbench.rules import Rules

Command = TypeVar("Command", bound=Callable[..., Any])


class SeedNumbers(click.ParamType):  # type: ignore[type-arg]  # generic in new versions only
    """``10`` (the seeds 0 to 9, a range) or a list, ``3,7,11``."""

    name = "N|LIST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Sequence[int]:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        try:
            numbers = [int(item) for item in value.rstrip(",").split(",")]
        except ValueError:
            self.fail(f"{value!r} is neither a number of seeds nor a list such as 3,7,11", param, ctx)
        if max(numbers) > MOST_SEEDS:
            self.fail(f"{max(numbers)} is over {MOST_SEEDS:,}", param, ctx)
        # A negative number is no number of seeds; as a list it is refused by name.
        return numbers if "," in value or numbers[0] < 0 else range(numbers[0])


class OutputFile(click.ParamType):  # type: ignore[type-arg]
    """A file that can be created: found out before the training, not after it."""

    name = "FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not str(value):
            self.fail("the name is empty: is a variable not set?", param, ctx)
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

_BASELINES = click.option(
    "--baselines",
    "baselines_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_BASELINES,
    show_default=True,
    help="The baselines file.",
)

#: For the commands that write it: found out before the training that it cannot be.
_WRITTEN_BASELINES = click.option(
    "--baselines",
    "baselines_file",
    type=OutputFile(),
    default=str(DEFAULT_BASELINES),
    show_default=True,
    help="The baselines file.",
)

_TASK = click.option("--task", default=DEFAULT_TASK, show_default=True, help="See: stabbench list tasks.")
_MODEL = click.option("--model", default=DEFAULT_MODEL, show_default=True, help="lab, a local folder, or a hub id.")
_REVISION = click.option("--revision", help="Branch, tag or commit of a hub model.")
_MAX_STEPS = click.option(
    "--max-steps", type=click.IntRange(min=1), metavar="N", help="Cut every training short, for trials."
)
_PLOT = click.option("--plot", "plot_file", type=PictureFile(), help="Draw a picture into a .png, .svg or .pdf file.")
_JSON = click.option("--json", "json_file", type=OutputFile(), help="Write everything to a JSON file.")


def seeds_option(default: object, help: str) -> Callable[[Command], Command]:
    """``--seeds``."""
    return click.option("--seeds", type=SeedNumbers(), default=default, show_default=default is not None, help=help)


def device_option(default: str | None) -> Callable[[Command], Command]:
    """``--device``; None leaves it to the baseline."""
    shown = {"show_default": True} if default else {"help": "[default: the baseline's]"}
    return click.option("--device", type=click.Choice(DEVICES), default=default, **shown)


# How runs are made, whatever they are for.
_TRAINING = [
    click.option(
        "--data-dir",
        type=click.Path(path_type=Path),
        help="Folder of the official GLUE TSV files; without it GLUE comes from the hub.",
    ),
    click.option("--stack", type=click.IntRange(min=1), metavar="K", help="Seeds trained together [default: chosen]."),
    click.option("--workers", type=click.IntRange(min=1), help="Processes [default: one a core, or one a GPU]."),
    click.option(
        "--executor",
        type=click.Choice(EXECUTORS),
        default="local",
        show_default=True,
        help="ray: the machines of a Ray cluster.",
    ),
    click.option(
        "--ray-address",
        metavar="HOST:PORT",
        help="Of the cluster [default: RAY_ADDRESS; or the one on this machine; or one that is started here].",
    ),
    click.option("--allow-pickle", is_flag=True, help="Load pickled weights: only if you trust the file."),
    _STORE,
    _PLUGIN,
]

_STUDY = [
    click.option("--task", "tasks", multiple=True, help="In place of the study's tasks; may be repeated."),
    click.option("--model", "models", multiple=True, help="In place of the study's models; may be repeated."),
    _REVISION,
    seeds_option(
        None, "In place of the study's: how many (0 to N-1), or which: 3,7,11. A crossed study runs every pair."
    ),
    _MAX_STEPS,
    device_option("auto"),
    _JSON,
    _PLOT,
    *_TRAINING,
]

_PLAN = [
    _TASK,
    _MODEL,
    _REVISION,
    seeds_option(str(DEFAULT_SEEDS), "How many (0 to N-1), or which: 3,7,11."),
    click.option("--initialisation-seed", type=int, help="The same head and re-initialisation for every run."),
    click.option("--order-seed", type=int, help="The same data order for every run."),
    click.option("--dropout-seed", type=int, help="The same dropout masks for every run."),
    _MAX_STEPS,
    device_option("auto"),
    *_TRAINING,
]

_RUN = [*_PLAN, _JSON, _PLOT]

_RULE_HELP = {
    "alpha": "Rate of false alarms of all tests together.",
    "rate_floor": "A significant rise of the failed runs by less than this does not fail.",
    "spread_floor": "Nor a standard deviation higher by less than so many times.",
    "mean_floor": "Nor a mean lower by less than this.",
    "rate_margin": "To pass: the rate of failed runs is higher by this at most.",
    "spread_margin": "To pass: the spread is wider by so many times at most.",
    "mean_margin": "To pass: the mean is lower by this at most.",
    "max_std": "Fail if the standard deviation of the scores is over this.",
    "max_failed": "Fail if more runs than this fail.",
}


def _rule_options() -> list[Callable[[Any], Any]]:
    return [
        click.option(
            f"--{spec.name.replace('_', '-')}",
            type=int if spec.name == "max_failed" else float,
            default=spec.default,
            show_default=spec.default is not None,
            help=_RULE_HELP[spec.name],
        )
        for spec in dataclasses.fields(Rules)
    ]


def _decorated(options: list[Callable[[Any], Any]]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


#: The options of `run` and `compare`.
run_options = _decorated(_RUN)
#: The options of `doctor`: what is to be run, and how.
plan_options = _decorated(_PLAN)
#: The options of `study`.
study_options = _decorated(_STUDY)
#: How runs are made: data, stack, workers, store, plugins.
training_options = _decorated(_TRAINING)
#: Which cells a baseline is recorded for.
cell_options = _decorated([_TASK, _MODEL, _REVISION, _MAX_STEPS])
#: The rules of a verdict.
rule_options = _decorated(_rule_options())
store_option = _decorated([_STORE])
plugin_option = _decorated([_PLUGIN])
baselines_option = _decorated([_BASELINES])
written_baselines_option = _decorated([_WRITTEN_BASELINES])
json_option = _decorated([_JSON])


def rules_given(options: dict[str, Any]) -> list[str]:
    """Names of the rules that differ from their defaults."""
    return [spec.name for spec in dataclasses.fields(Rules) if options[spec.name] != spec.default]


def taken_rules(options: dict[str, Any]) -> Rules:
    """The rules among a command's options, which are taken out.

    Raises:
        StabbenchError: A value out of range.
    """
    return Rules(**{spec.name: options.pop(spec.name) for spec in dataclasses.fields(Rules)})
