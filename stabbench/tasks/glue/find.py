"""Which source has a task of GLUE."""

from __future__ import annotations

from pathlib import Path

from stabbench.tasks.glue.files import GlueFiles
from stabbench.tasks.glue.hub import GlueHub
from stabbench.tasks.glue.specs import GLUE_TASKS


def find_glue(name: str, data_dir: Path | None) -> GlueHub | GlueFiles | None:
    """The source of a GLUE task: TSV files where there is a data folder, the hub otherwise."""
    if name not in GLUE_TASKS:
        return None
    return GlueHub(name) if data_dir is None else GlueFiles(name, data_dir.resolve())
