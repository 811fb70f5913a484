"""The options that the commands share, and how their texts are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from stabbench.cli.arguments import Command, Outputs, PlanOptions, as_one, decorated
from stabbench.cli.types import OutputFile, PageFile, PictureFile, SeedNumbers, WholeNumber
from stabbench.gate.rules import Rules
from stabbench.records.detail import DEFAULT_DETAIL, DETAILS
from stabbench.runner.plan import DEFAULT_MODEL, DEFAULT_SEEDS, DEFAULT_TASK
from stabbench.runner.resources import DEFAULT_BASELINES, DEFAULT_STORE, DEVICES, EXECUTORS, Resources

_STORE = click.option(
    "--store",
    type=click.Path(path_type=Path),
    default=DEFAULT_STORE,
    show_default=True,
    help="Folder of the run store.",
)

_PLUGIN = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="MODULE",
    help="Module or .py file that defines recipes, tasks or metrics.",
)

_BASELINES = click.option(
    "--baselines",
    "baselines_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_BASELINES,
    show_default=True,
    help="The baselines file.",
)

#: For the commands that write it: a path that cannot be written is refused before the training.
_WRITTEN_BASELINES = click.option(
    "--baselines",
    "baselines_file",
    type=OutputFile(),
    default=str(DEFAULT_BASELINES),
    show_default=True,
    help="The baselines file.",
)

_TASK = click.option(
    "--task",
    default=DEFAULT_TASK,
    show_default=True,
    help="A name (stabbench list tasks), a task file, or a data file.",
)
_MODEL = click.option("--model", default=DEFAULT_MODEL, show_default=True, help="lab, a local folder, or a hub id.")
_REVISION = click.option("--revision", help="Branch, tag or commit of a hub model.")
_MAX_STEPS = click.option(
    "--max-steps", type=WholeNumber(min=1), metavar="N", help="Cut every training short, for trials."
)
_PLOT = click.option("--plot", "plot_file", type=PictureFile(), help="Draw a picture into a .png, .svg or .pdf file.")
_JSON = click.option("--json", "json_file", type=OutputFile(), help="Write everything to a JSON file.")
_REPORT = click.option(
    "--report", "report_file", type=PageFile(), help="Write a page: an .html file, or a folder (docs/report.md)."
)
_CSV = click.option("--csv", "csv_file", type=OutputFile(), help="Write the runs to a CSV file, one a row.")


#: For the commands whose numbers are to be trusted.
_FRESH = click.option(
    "--fresh",
    is_flag=True,
    help="Train stored runs anew, too, and compare every number; exit code 3 if one differs. The store keeps its runs.",
)


def seeds_option(default: object, help: str) -> Callable[[Command], Command]:
    """``--seeds``."""
    return click.option("--seeds", type=SeedNumbers(), default=default, show_default=default is not None, help=help)


def _device(help: str) -> Callable[[Any], Any]:
    return click.option("--device", type=click.Choice(DEVICES), help=f"[default: {help}]")


_DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Folder of the official GLUE TSV files; without it GLUE comes from the hub.",
)

_ALLOW_PICKLE = click.option("--allow-pickle", is_flag=True, help="Load pickled weights: only if you trust the file.")

# How runs are trained, whatever they are for.
_RESOURCES = [
    click.option(
        "--stack",
        type=WholeNumber(min=1),
        metavar="K",
        help="Seeds trained in one pass [default: as many as pay and fit].",
    ),
    click.option(
        "--workers",
        type=WholeNumber(min=1),
        help="Processes [default: one a core, or one a GPU; training code on a CPU: one].",
    ),
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
        help="Address of the cluster [default: RAY_ADDRESS, else the cluster on this machine, else a new one].",
    ),
    click.option(
        "--detail",
        type=click.Choice(list(DETAILS)),
        default=DEFAULT_DETAIL,
        show_default=True,
        help="How much is kept of what happens in a run (docs/diagnose.md); no number depends on it.",
    ),
    _ALLOW_PICKLE,
    _STORE,
    _PLUGIN,
]

_TRACK = click.option(
    "--track",
    "trackers",
    multiple=True,
    metavar="TRACKER",
    help="Log every run, each once: mlflow, trackio, wandb, or one of a package. May be repeated.",
)

_KEEP_WEIGHTS = click.option(
    "--keep-weights",
    is_flag=True,
    help="Keep each run's trained weights in the store's folder; stored runs without them are trained again.",
)

_SOME_SEEDS = "Number of seeds (0 to N-1), or a list: 3,7,11."

_STUDY = [
    click.option("--task", "tasks", multiple=True, help="In place of the study's tasks; may be repeated."),
    click.option("--model", "models", multiple=True, help="In place of the study's models; may be repeated."),
    _REVISION,
    seeds_option(
        None, "In place of the study's: number of seeds (0 to N-1), or a list: 3,7,11. A crossed study runs every pair."
    ),
    click.option(
        "--texts",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="Of a study of perplexity: the texts whose words are masked, one a line.",
    ),
    _MAX_STEPS,
    _JSON,
    _PLOT,
    _REPORT,
    _DATA_DIR,
]

_PLAN = [
    _TASK,
    _MODEL,
    _REVISION,
    seeds_option(str(DEFAULT_SEEDS), _SOME_SEEDS),
    click.option(
        "--initialisation-seed",
        type=WholeNumber(min=0),
        metavar="SEED",
        help="One initialisation seed (head, re-initialised parts) for all runs.",
    ),
    click.option("--order-seed", type=WholeNumber(min=0), metavar="SEED", help="The same data order for every run."),
    click.option(
        "--dropout-seed", type=WholeNumber(min=0), metavar="SEED", help="The same dropout masks for every run."
    ),
    _MAX_STEPS,
    _DATA_DIR,
]

_CELLS = [_TASK, _MODEL, _REVISION, seeds_option("50", _SOME_SEEDS), _MAX_STEPS, _DATA_DIR]

_RULE_HELP = {
    "alpha": "Rate of false alarms of all tests together.",
    "rate_floor": "Smallest rise of the rate of failed runs that counts as worse.",
    "spread_floor": "Smallest ratio of standard deviations that counts as worse.",
    "std_floor": "Smallest rise of the standard deviation that counts as worse.",
    "mean_floor": "Smallest fall of the mean that counts as worse.",
    "rate_margin": "To pass: the rate of failed runs rises by at most this.",
    "spread_margin": "To pass: the spread is at most this many times that of the baseline or first recipe.",
    "mean_margin": "To pass: the mean falls by at most this.",
    "max_std": "Fail if the standard deviation of the scores is above this.",
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


_AUTO = "a GPU where there is one"
#: ``options``: the runs that a command is about.
plan_options = as_one("options", PlanOptions, _PLAN)
#: ``options``: the runs that a baseline is recorded of.
cell_options = as_one("options", PlanOptions, _CELLS)
#: ``resources``: how runs are trained.
resources_options = as_one("resources", Resources, [_device(_AUTO), *_RESOURCES, _TRACK])
#: ``resources``: how runs are trained whose weights may be kept.
keeping_options = as_one("resources", Resources, [_device(_AUTO), *_RESOURCES, _TRACK, _KEEP_WEIGHTS])
#: ``resources``: how trials are trained, which are not kept, and so not logged.
trial_options = as_one("resources", Resources, [_device(_AUTO), *_RESOURCES])
#: ``resources``: which stored runs are meant.
stored_options = as_one("resources", Resources, [_device(_AUTO), _ALLOW_PICKLE, _STORE, _PLUGIN])
#: ``resources``, with the baseline's device where none is chosen.
baseline_resources_options = as_one("resources", Resources, [_device("the baseline's"), *_RESOURCES, _TRACK])
#: ``rules``: of a verdict.
rule_options = as_one("rules", Rules, _rule_options())
#: Overrides of a study, and its outputs.
study_options = decorated(_STUDY)
#: ``outputs``: the files that `run` and `compare` write.
output_options = as_one("outputs", Outputs, [_JSON, _CSV, _PLOT, _REPORT])
data_dir_option = decorated([_DATA_DIR])
store_option = decorated([_STORE])
plugin_option = decorated([_PLUGIN])
baselines_option = decorated([_BASELINES])
written_baselines_option = decorated([_WRITTEN_BASELINES])
json_option = decorated([_JSON])
csv_option = decorated([_CSV])
plot_option = decorated([_PLOT])
report_option = decorated([_REPORT])
fresh_option = decorated([_FRESH])


def changed_rules(rules: Rules) -> list[str]:
    """Names of the rules that differ from their defaults."""
    return [spec.name for spec in dataclasses.fields(Rules) if getattr(rules, spec.name) != spec.default]
