"""Finding a task by its name: every kind of source is asked whether the name is one of its own.

A new kind of source is one more line of ``_FINDERS``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stabbench.errors import TaskError, excerpt, unknown
from stabbench.tasks.files.parts import READERS
from stabbench.tasks.files.source import FileSource, find_file, is_file_name
from stabbench.tasks.given import GivenSource, defined_names, find_defined
from stabbench.tasks.glue.find import find_glue
from stabbench.tasks.glue.specs import GLUE_TASKS, LAYOUTS
from stabbench.tasks.lab.tasks import LAB_TASKS, find_lab
from stabbench.tasks.quality import checked
from stabbench.tasks.source import TaskSource
from stabbench.tasks.task import Task
from stabbench.tasks.variant import VariedSource, parse_variant

# Files that are meant as a task, and cannot be read as one. Other names are more likely misspelt.
_OTHER_FILES = {".txt", ".yaml", ".yml", ".py", ".xlsx", ".xls", ".ndjson", ".gz", ".zip", ".feather"}

# From a name and a data folder to the source that owns the name; None where it is not one of its own.
_FINDERS: tuple[Callable[[str, Path | None], TaskSource | None], ...] = (find_lab, find_glue, find_file, find_defined)


def task_names() -> list[str]:
    """Names of all tasks, the lab's first, those of packages and plugins last."""
    return [*LAB_TASKS, *GLUE_TASKS, *defined_names()]


def canonical_name(name: str) -> str:
    """A task's name, or its file's, with the options of its variant, if any, in their one order.

    Raises:
        TaskError: An invalid variant.
    """
    base, options = split_name(name)
    return f"{base}:{parse_variant(options, base).text}" if options is not None else base


def split_name(name: str) -> tuple[str, str | None]:
    """What comes before the options of a variant, and the options, None where there are none."""
    base, colon, options = name.partition(":")
    if colon and not is_file_name(base):
        if is_file_name(name):  # a folder on the way may have a colon in its name
            return name, None
        before, _, after = name.rpartition(":")
        if is_file_name(before):
            return before, after
    return base, options if colon else None


def task_file(name: str) -> str | None:
    """The file, or the folder of ``save_to_disk``, that a task's name is; None where it is none."""
    base, _ = split_name(name)
    return base if is_file_name(base) else None


def files_of(name: str) -> list[Path]:
    """The files that a task is read from, as far as its name is that of a file."""
    base = task_file(name)
    try:
        source = None if base is None else find_file(base, None)
    except TaskError:  # said when it is loaded
        source = None
    return [] if source is None else [Path(str(base)), *source.paths()]


def record_name(task: str | Task) -> str:
    """What run records call a task that a user names: a file by the name that it declares.

    Raises:
        TaskError: A file that is no task file, or an invalid variant.
    """
    if isinstance(task, Task):
        return task.name
    return canonical_name(task) if task_file(task) is None else find_task(task, shared=True).name


def find_task(name: str | Task, data_dir: str | Path | None = None, *, shared: bool = False) -> TaskSource:
    """The source of a task; nothing is read yet.

    Args:
        name: Such as ``lab/entailment`` or ``glue/rte``, or a variant, ``glue/rte:examples=1000,split=zhang2021``;
            a task file, a data file, or a task as an object.
        data_dir: The folder of the official GLUE TSV files; None loads GLUE from the hub.
        shared: The folder is given for several tasks, and this one need not read it.

    Raises:
        TaskError: An unknown task or variant, or a data folder for a task that reads none.
    """
    if isinstance(name, Task):
        return GivenSource(name)
    base, options = split_name(name)
    source = _find(base, None if data_dir is None else Path(data_dir))
    if data_dir is not None and source.folder is None and not shared:
        raise TaskError(
            f"task {name!r} takes no data folder",
            "it is the folder of GLUE's files: name a GLUE task, such as --task glue/rte",
        )
    return VariedSource(source, parse_variant(options, base)) if options is not None else source


def _find(name: str, data_dir: Path | None) -> TaskSource:
    for find in _FINDERS:
        source = find(name, data_dir)
        if source is not None:
            return _named_apart(source)
    if Path(name).suffix.lower() in _OTHER_FILES:
        raise TaskError(
            f"{excerpt(name)} names a file, and none that can be read as a task",
            f"a task file (.toml, see docs/tasks.md), or a file of rows: {', '.join(READERS)}; data in the layout of a "
            f"GLUE task can be read as well, with --data-dir FOLDER: {LAYOUTS}",
        )
    raise TaskError(unknown("task", name, task_names()), "see: stabbench list tasks")


def _named_apart(source: TaskSource) -> TaskSource:
    if isinstance(source, FileSource) and (source.name in LAB_TASKS or source.name in GLUE_TASKS):
        raise TaskError(f"a task file has the name {source.name!r}, which is that of another task", "give it its own")
    return source


def load(source: TaskSource) -> Task:
    """A task with its data, checked whatever its source.

    Raises:
        TaskError: Data that cannot be read, or on which no run can mean anything.
    """
    return checked(source.load())


def load_task(name: str | Task, data_dir: Path | None = None) -> Task:
    """A task by its name; as :func:`find_task` and :func:`load`."""
    return load(find_task(name, data_dir))
