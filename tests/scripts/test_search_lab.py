"""`scripts/search_lab.py`: its tasks' labels are true, and what it pretrains can be fine-tuned on them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertForPreTraining, BertTokenizer

import stabbench
from stabbench.models.source import find_model
from stabbench.recipes._registry import load_file
from stabbench.tasks.given import _offered as tasks_by_name
from stabbench.tasks.lab.language import DENIAL, Clause, Dice, vocabulary
from stabbench.tasks.registry import load_task

SCRIPT = Path(__file__).parents[2] / "scripts" / "search_lab.py"

seeds = st.integers(0, 10**9)


@pytest.fixture(scope="module")
def search() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPT.parent)
        patch.setattr(tasks_by_name, "_added", dict(tasks_by_name._added))
        script = load_file(SCRIPT)
        yield script
        for name in (script.__name__, "pretrain_lab", "probe_lab"):
            sys.modules.pop(name, None)


def told(clause: Clause) -> set[tuple[str, Any]]:
    """What a clause says, denied or not, part by part."""
    parts = {("verb", clause.verb), ("adjunct", clause.adjunct)}
    for role in ("subject", "object"):
        actor = getattr(clause, role)
        parts |= {(role, (actor.noun, actor.plural)), (f"{role} adjective", actor.adjective)}
    return {part for part in parts if part[1] is not None}


def follows(premise: Clause, hypothesis: Clause) -> bool:
    more, less = (hypothesis, premise) if premise.denied else (premise, hypothesis)
    return premise.denied == hypothesis.denied and told(less) <= told(more)


@given(seeds)
def test_what_is_entailed_follows_one_way_only_and_the_rest_does_not(search: ModuleType, seed: int) -> None:
    premise, hypothesis = search.entailment_clauses(Dice(seed), True)
    assert follows(premise, hypothesis)
    assert not follows(hypothesis, premise)
    assert not follows(*search.entailment_clauses(Dice(seed), False))


@given(seeds)
def test_a_paraphrase_says_the_same_and_the_rest_does_not(search: ModuleType, seed: int) -> None:
    one, other = search.paraphrase_clauses(Dice(seed), True)
    assert one == other
    one, other = search.paraphrase_clauses(Dice(seed), False)
    assert not (follows(one, other) and follows(other, one))


@pytest.mark.parametrize(("name", "ones", "constant"), [("entailment", 500, 0.5), ("paraphrase", 667, 0.8)])
def test_the_tasks_have_the_shares_that_they_say(search: ModuleType, name: str, ones: int, constant: float) -> None:
    task = load_task(f"search/{name}")
    assert (len(task.train), len(task.evaluation)) == (1000, 400)
    assert sum(task.train.labels) == ones
    assert task.constant_score == pytest.approx(constant, abs=0.002)
    assert task.train.second is not None
    denied = {"entailment": search.ENTAILMENT_DENIED, "paraphrase": search.PARAPHRASE_DENIED}[name]
    assert sum(DENIAL in text.split() for text in task.train.first) / 1000 == pytest.approx(denied, abs=0.05)
    words = {word for text in (*task.train.first, *task.train.second) for word in text.split()}
    assert words <= {*vocabulary(), DENIAL}


def test_it_begins_with_the_labs_checkpoint_and_one_word_more(search: ModuleType) -> None:
    model, tokenizer = search.start()
    lab = BertForPreTraining.from_pretrained(find_model("lab").folder).state_dict()
    assert tokenizer.convert_tokens_to_ids(DENIAL) == len(tokenizer) - 1
    assert all(torch.equal(model.state_dict()[name][: len(value)], value) for name, value in lab.items())


def test_a_trial_checkpoint_is_the_lower_blocks_and_can_be_fine_tuned(
    search: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "TRAIN_SIZE", 64)
    monkeypatch.setattr(search, "EVALUATION_SIZE", 32)
    folder = tmp_path / "trial"
    search.main(["--out", str(folder), "--steps", "3", "--batch", "4", "--keep", "2"])
    assert capsys.readouterr().out.count("frozen probe") == 2
    model = BertForPreTraining.from_pretrained(folder)
    assert (len(model.bert.encoder.layer), model.config.hidden_dropout_prob) == (2, 0.1)
    pooler = model.bert.pooler.dense.weight
    torch.testing.assert_close(pooler @ pooler.T, search.POOLER_GAIN**2 * torch.eye(len(pooler)))
    ids = BertTokenizer.from_pretrained(folder)("dogs never chase cats")["input_ids"]
    assert BertTokenizer.from_pretrained(folder).unk_token_id not in ids
    found = stabbench.compare(
        ["devlin:lr=6.4e-4"], task="search/entailment", model=str(folder), seeds=1, max_steps=1,
        store=tmp_path / "store", plugins=[str(SCRIPT)],
    )  # fmt: skip
    assert len(found.recipes[0].finite_scores) == 1
