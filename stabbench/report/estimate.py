"""What ``stabbench doctor`` prints: the machine, how a plan would be run on it, and about how long that takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from stabbench._version import __version__
from stabbench.errors import how_to_install
from stabbench.records.seeds import Stream
from stabbench.report import numbers
from stabbench.report.table import Entry, Table
from stabbench.runner.effect_of_streams import Streams
from stabbench.runner.estimate import EXTRAS, Estimate, Machine
from stabbench.runner.replicates import Replicates
from stabbench.runner.try_trainings import TrainingOutlook


class PrintedEstimate(Estimate):
    """An estimate that prints as the text of the command: what :func:`stabbench.doctor` returns."""

    @classmethod
    def of(cls, estimate: Estimate) -> Self:
        """The same estimate."""
        return cls(**vars(estimate))

    def __str__(self) -> str:
        return estimate_text(self)


def replicates_text(found: Sequence[Replicates]) -> str:
    """What one seed gave several times, and what that means."""
    rows: list[list[Entry]] = [
        [
            each.recipe,
            str(each.seed),
            numbers.count(len(each.scores)),
            numbers.mean_and_std(each.summary.mean, each.summary.std),
            numbers.UNDEFINED if each.losses_from is None else numbers.count(each.losses_from),
            numbers.count(each.flipped),
        ]
        for each in found
        if not each.reason
    ]
    notes = [f"{each.recipe} could not be tried: {each.reason}" for each in found if each.reason]
    if same := [each.recipe for each in found if not each.reason and each.identical]:
        notes.append(f"{', '.join(same)}: one seed gave the same numbers every time.")
    if any(not each.identical for each in found if not each.reason):
        notes.append(
            "Where one seed gave other numbers, that much of the spread between seeds is arithmetic that is not "
            "deterministic: head, order and dropout were the same."
        )
    columns = ["recipe", "seed", "replicates", "score, mean ± std", "losses differ from step", "flipped examples"]
    return Table(columns, rows, notes, "one seed, several times").text()


def machine_text(machine: Machine) -> str:
    """Versions, processor, memory, GPUs and extras, one a line."""
    packages = ", ".join(f"{package} {version}" for package, version in machine.packages.items())
    free = numbers.gib(machine.free_memory, 1)
    lines = [
        f"stabbench {__version__}: {packages}",
        f"processor: {machine.processor}, {machine.cores} cores, {free} GiB of memory free",
    ]
    lines += [f"GPU {i}: {name}, {numbers.gib(size, 1)} GiB" for i, (name, size) in enumerate(machine.gpus)]
    if not machine.gpus:
        lines.append(f"GPU: none that PyTorch sees (built for CUDA {machine.cuda or 'none'})")
    for extra, version in machine.extras.items():
        lines.append(f"{extra}: {version or f'not installed: {how_to_install(EXTRAS[extra], extra)}'}")
    return "\n".join(lines)


def estimate_text(estimate: Estimate) -> str:
    """Device and workers, the table, what changes a run, and the time in all."""
    if estimate.trainings:
        return _trainings_text(estimate)
    if not estimate.outlooks:
        return f"device: {estimate.device}\n\nnothing to train: every run is stored"
    engine = f"one seed at a time: {estimate.reason}" if estimate.reason else "seeds are stacked"
    tried = sum(o.runs for o in estimate.outlooks if o.groups)
    runs = sum(o.runs for o in estimate.outlooks)
    of_all = "" if tried == runs else f"{numbers.count(tried)} of "
    return "\n".join(
        [
            f"device: {estimate.device}; {numbers.counted(estimate.workers, 'worker')}; {engine}",
            "",
            estimate_table(estimate).text(),
            "",
            *(f"{o.recipe} could not be tried: {o.reason}" for o in estimate.outlooks if o.reason),
            *(f"{o.recipe}: {_streams_text(o.streams)}" for o in estimate.outlooks if o.streams),
            f"about {numbers.duration(estimate.seconds)} for {of_all}{numbers.counted(runs, 'run')}",
        ]
    )


def estimate_table(estimate: Estimate) -> Table:
    """One row a recipe: its runs, and what a seed takes."""
    rows: list[list[Entry]] = [
        [
            o.recipe,
            o.task,
            numbers.count(o.runs),
            numbers.steps_cut(o.steps, o.whole_steps),
            numbers.count(o.stack),
            numbers.gib(o.memory),
            numbers.milliseconds(o.seed_step),
        ]
        for o in estimate.outlooks
    ]
    columns = ["recipe", "task", "runs to train", "steps each", "seeds at a time", "GiB a seed", "ms a seed-step"]
    return Table(columns, rows)


#: Of training code.
OUTSIDE = (
    "which of head, order and dropout a seed reaches in training code cannot be seen from outside: hold one of them "
    "still by a parameter of its own, and compare"
)
_WORDS: Mapping[Stream, str] = {
    "initialisation": "the new head",
    "order": "the order of the data",
    "dropout": "dropout",
}


def _streams_text(streams: Streams) -> str:
    """Which of head, order and dropout change a run."""
    if streams.reason:
        return f"what changes a run could not be tried: {streams.reason}"
    if not streams.repeatable:
        return "the same seeds gave other numbers, so something besides them changes a run"
    still = [word for stream, word in _WORDS.items() if stream not in streams.moving]
    moving = [word for stream, word in _WORDS.items() if stream in streams.moving]
    if not moving:
        return "neither the new head nor the order of the data nor dropout changes a run: its seeds are all one run"
    text = f"{_listed(moving)} {'each change' if len(moving) > 1 else 'changes'} a run"
    return f"{text}; {_listed(still)} {'do' if len(still) > 1 else 'does'} not" if still else text


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _trainings_text(estimate: Estimate) -> str:
    """Device and workers, what a seed changes, and the time in all."""
    tried = sum(each.runs for each in estimate.trainings if not each.reason)
    runs = sum(each.runs for each in estimate.trainings)
    of_all = "" if tried == runs else f"{numbers.count(tried)} of "
    return "\n".join(
        [
            f"device: {estimate.device}; {numbers.counted(estimate.workers, 'worker')}",
            "",
            *(f"{each.label}: {_training_text(each)}" for each in estimate.trainings),
            "",
            OUTSIDE,
            "",
            f"about {numbers.duration(estimate.seconds)} for {of_all}{numbers.counted(runs, 'run')}",
        ]
    )


def _training_text(found: TrainingOutlook) -> str:
    if found.reason:
        return f"could not be tried: {found.reason}"
    twice = "the same numbers" if found.repeatable else "other numbers, so something besides the seed changes a run"
    if found.seed_matters:
        other = "another seed gave others" if found.repeatable else "so did another seed"
    elif found.told:
        other = "so did another seed: it reaches nothing that is drawn"
    else:
        other = "another seed gave the same score, by chance or because it reaches nothing (losses would tell)"
    return f"{numbers.duration(found.seconds or 0)} a run; the same seed twice gave {twice}; {other}"
