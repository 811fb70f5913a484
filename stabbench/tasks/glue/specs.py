"""The nine GLUE tasks: where each keeps its texts and labels, in the official TSV files and on the hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

HUB_DATASET = "nyu-mll/glue"


@dataclass(frozen=True)
class GlueTask:
    """One task of GLUE.

    Attributes:
        folder: The folder's name in the official download.
        metric: As the papers report it.
        classes: Label texts of the TSV files, in the order of the hub's class numbers; empty for regression.
        columns: Headers of the first text, the second text (or None) and the label in the TSV files.
        hub_columns: Names of the two texts on the hub.
        header: False where the TSV files have no header row; ``columns`` are then positions.
        evaluation: Names of the evaluation split, as a TSV file and on the hub.
        torn_rows: The official file is known to hold a few rows that end early; they are left out, as everyone does.
    """

    folder: str
    metric: str
    classes: tuple[str, ...]
    columns: tuple[str, str | None, str]
    hub_columns: tuple[str, str | None]
    header: bool = True
    evaluation: tuple[str, str] = ("dev", "validation")
    torn_rows: bool = False


_BINARY = ("0", "1")
_ENTAILMENT = ("entailment", "not_entailment")
_PAIR = ("sentence1", "sentence2")
_MNLI = GlueTask(
    "MNLI",
    "accuracy",
    ("entailment", "neutral", "contradiction"),
    (*_PAIR, "gold_label"),
    ("premise", "hypothesis"),
    evaluation=("dev_matched", "validation_matched"),
)

GLUE_TASKS: Mapping[str, GlueTask] = {
    "glue/cola": GlueTask("CoLA", "mcc", _BINARY, ("3", None, "1"), ("sentence", None), header=False),
    "glue/sst2": GlueTask("SST-2", "accuracy", _BINARY, ("sentence", None, "label"), ("sentence", None)),
    "glue/mrpc": GlueTask("MRPC", "f1", _BINARY, ("#1 String", "#2 String", "Quality"), _PAIR),
    "glue/stsb": GlueTask("STS-B", "spearman", (), (*_PAIR, "score"), _PAIR),
    "glue/qqp": GlueTask(
        "QQP",
        "f1",
        _BINARY,
        ("question1", "question2", "is_duplicate"),
        ("question1", "question2"),
        torn_rows=True,
    ),
    "glue/mnli": _MNLI,
    # The same training set, scored on genres that are not in it.
    "glue/mnli-mismatched": replace(_MNLI, evaluation=("dev_mismatched", "validation_mismatched")),
    "glue/qnli": GlueTask("QNLI", "accuracy", _ENTAILMENT, ("question", "sentence", "label"), ("question", "sentence")),
    "glue/rte": GlueTask("RTE", "accuracy", _ENTAILMENT, (*_PAIR, "label"), _PAIR),
    "glue/wnli": GlueTask("WNLI", "accuracy", _BINARY, (*_PAIR, "label"), _PAIR),
}

#: For one text and for two, the simplest of the nine: what files of one's own must look like to be read as GLUE's.
LAYOUTS = "; ".join(
    f"--task {task} takes {spec.folder}/train.tsv and {spec.folder}/{spec.evaluation[0]}.tsv, separated by tabs, with "
    f"the header {' '.join(str(column) for column in spec.columns if column is not None)} "
    f"and the labels {' and '.join(spec.classes)}"
    for task, spec in ((name, GLUE_TASKS[name]) for name in ("glue/sst2", "glue/rte"))
)
