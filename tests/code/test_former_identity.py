"""Runs and baselines of the time when built-in recipes counted by their source are found under the new identities."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from examples import HISTORY, record

from stabbench.code.former_identity import _FORMER, carried_over
from stabbench.code.identity import code_identity
from stabbench.recipes import recipe_class, recipe_names
from stabbench.records.run import Fingerprint, RunRecord
from stabbench.records.store import ENCODERS, FILE, Store

DEVLIN, INTERMEDIATE, BIAS_CORRECTION = "c9b7605609c52e74", "2ad6dd9fc3fe0b36", "2af16b557e9ea202"


def test_every_recipe_of_that_time_has_a_former_identity_of_its_first_version() -> None:
    first = {identity.partition(" ")[0]: identity for identity in _FORMER.values()}
    assert first.keys() <= set(recipe_names())
    for name, identity in first.items():
        if getattr(recipe_class(name), "version", 1) == 1:
            assert code_identity(recipe_class(name)) == identity


@pytest.mark.parametrize(
    ("code", "now"),
    [
        (DEVLIN, {"recipe_code": "devlin 1, recipe 1"}),
        (
            f"{INTERMEDIATE} after {BIAS_CORRECTION}",
            {"recipe_code": "intermediate-task 1, recipe 1", "encoder_code": "bias-correction 1, recipe 1"},
        ),
        ("0123456789abcdef", None),
        (f"0123456789abcdef after {DEVLIN}", None),
        (f"{DEVLIN} after 0123456789abcdef", None),
    ],
)
def test_what_is_known_is_renamed_and_the_rest_left_alone(code: str, now: dict[str, str] | None) -> None:
    environment = {"device": "cpu", "recipe_code": code}
    assert carried_over(environment) == (environment if now is None else {"device": "cpu", **now})


def made_by(code: str, seed: int) -> RunRecord:
    made: Any = record(seed)
    made_of = Fingerprint(made.fingerprint.experiment, {"device": "cpu", "recipe_code": code})
    return dataclasses.replace(made, fingerprint=made_of, id=made_of.run_id(made.seeds))


def test_a_store_of_version_1_is_carried_over_when_it_is_first_written_to(tmp_path: Path) -> None:
    old, foreign = made_by(DEVLIN, 0), made_by("0123456789abcdef", 1)
    with Store(tmp_path) as store:
        store.put_all([(old, HISTORY), (foreign, HISTORY)])
    (tmp_path / ENCODERS).mkdir()
    (tmp_path / ENCODERS / f"{old.id}.safetensors").write_bytes(b"weights")
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("PRAGMA user_version = 1")
    database.close()

    with Store(tmp_path, write=False) as store:  # only looked at: left as it is
        assert store.get([old.id]).keys() == {old.id}
    now = made_by("devlin 1, recipe 1", 0)
    for _ in range(2):
        with Store(tmp_path) as store:
            assert store.get([old.id, now.id, foreign.id]) == {now.id: now, foreign.id: foreign}
            assert store.history(now.id) == HISTORY
            assert len(list(store.records())) == 2
    assert [path.name for path in (tmp_path / ENCODERS).iterdir()] == [f"{now.id}.safetensors"]
