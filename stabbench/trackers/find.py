"""Finding a tracker by its name: the built-in ones, and those of installed packages.

A package offers one, a class as :class:`stabbench.trackers.tracker.Tracker` says, through an entry point::

    [project.entry-points."stabbench.trackers"]
    ours = "our_package.tracking:Ours"
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING

from stabbench.code.users_code import users_code
from stabbench.errors import StabbenchError, how_to_install, unknown

if TYPE_CHECKING:  # numpy behind it is not for `stabbench --help`
    from stabbench.trackers.tracker import Tracker

GROUP = "stabbench.trackers"
# Each needs the package, and the extra, of its name.
_BUILT_IN = {
    "mlflow": "stabbench.trackers.mlflow:MLflow",
    "trackio": "stabbench.trackers.trackio:Trackio",
    "wandb": "stabbench.trackers.wandb:WandB",
}


def check_trackers(names: Sequence[str]) -> None:
    """Refuse trackers that are unknown or not installed, without loading any.

    Raises:
        StabbenchError: Which.
    """
    if isinstance(names, str):
        raise StabbenchError(f"track takes a list of trackers, got {names!r}", f"give [{names!r}]")
    known = _known() if names else {}
    for name in names:
        if name not in known:
            raise StabbenchError(unknown("tracker", name, known))
        if name in _BUILT_IN and find_spec(name) is None:
            raise StabbenchError(f"the tracker {name!r} is not installed", how_to_install(name, name))


def open_tracker(name: str) -> Tracker:
    """A tracker, ready to write to. It may raise anything."""
    with users_code():
        made: Tracker = _known()[name].load()()
    return made


def _known() -> dict[str, EntryPoint]:
    own = {name: EntryPoint(name, value, GROUP) for name, value in _BUILT_IN.items()}
    return {**{entry.name: entry for entry in entry_points(group=GROUP)}, **own}
