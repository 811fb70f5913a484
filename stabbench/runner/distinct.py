"""Runs that are the same to the last bit are one run, and no sample: whatever their seeds are called.

That happens where the streams that differ are not drawn from: with initialisation and order held, on a model without
dropout, four seeds give four equal curves and a standard deviation of 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stabbench.errors import StabbenchError
from stabbench.records.history import History
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.seeds import STREAMS, Seeds
from stabbench.records.store import Store

# From this many runs on, trainings that all have one score are an error.
FEWEST_EQUAL = 3


def check_distinct(label: str, records: Sequence[RunRecord], store: Store) -> None:
    """Find out whether two runs of a recipe or training are the same.

    Raises:
        StabbenchError: They are; both are kept in the store.
    """
    # Two runs end with the same loss by chance hardly ever, so few curves are read.
    alike: dict[tuple[float | None, float | None, int], list[RunRecord]] = {}
    for record in records:
        if record.final_loss is not None or (_of_training(record) and record.outcome is not Outcome.MISSING):
            alike.setdefault((record.final_loss, record.score, record.steps), []).append(record)
    for group in alike.values():
        known = [(record, store.history(record.id)) for record in group] if len(group) > 1 else []
        for number, (record, history) in enumerate(known):
            for other, other_history in known[:number]:
                if not history.differing(other_history) and not _is_empty(history):
                    raise StabbenchError(
                        f"recipe {label!r}: the runs of seeds {other.seeds.seed} and {record.seeds.seed} are the same "
                        f"to the last bit, so they are one run and no sample: {_cause(other, record)}",
                        _advice(record),
                    )
    _check_scores(label, [record for record in records if _of_training(record)], store)


def _check_scores(label: str, records: Sequence[RunRecord], store: Store) -> None:
    """Training code that gives nothing but scores: two may be equal by chance, but hardly all of them."""
    scores = {record.score for record in records}
    usual = all(record.outcome in (Outcome.OK, Outcome.UNKNOWN) for record in records)
    if len(records) < FEWEST_EQUAL or len(scores) > 1 or not usual:
        return
    if all(_is_empty(store.history(record.id)) for record in records):
        raise StabbenchError(
            f"training {label!r}: all {len(records)} runs have the score {records[0].score:g}, and gave nothing "
            f"else that could tell them apart: {_cause(records[0], records[1])}",
            f"{_advice(records[0])}; if the evaluation set is too small to tell the runs apart, let the code give more "
            "than the score: losses or predictions, or a JSON file with the evaluation loss beside the score",
        )


def only_dropout_differs(seeds: Iterable[Seeds]) -> bool:
    """Whether two of these runs differ in nothing but their dropout masks."""
    seen: set[tuple[int, int]] = set()
    for one in seeds:
        if (one.initialisation, one.order) in seen:
            return True
        seen.add((one.initialisation, one.order))
    return False


def _of_training(record: RunRecord) -> bool:
    return "training" in record.fingerprint.experiment


def _is_empty(history: History) -> bool:
    return not any(vars(history).values())


def _advice(record: RunRecord) -> str:
    if not _of_training(record):
        return "leave initialisation or order to the seeds; all runs are kept in the store"
    return (
        "let the seed reach everything that is drawn before the model is made: transformers.set_seed(seed), or "
        "torch.manual_seed, numpy.random.seed and random.seed; all runs are kept in the store"
    )


def _cause(record: RunRecord, with_record: RunRecord) -> str:
    if _of_training(record):
        return "the seed seems to reach nothing random: neither the new head, nor the order of the data, nor dropout"
    one, other = record.seeds, with_record.seeds
    held = [stream for stream in STREAMS if getattr(one, stream) == getattr(other, stream)]
    drawn = [stream for stream in STREAMS if stream not in held]
    if not held:
        return "all their streams differ, but nothing of this recipe and model draws from them"
    if drawn == ["dropout"]:
        return "initialisation and order are held still for both, and the model has no dropout"
    return f"{' and '.join(held)} held still for both, and nothing draws from {' and '.join(drawn)}"
