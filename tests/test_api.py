"""The Python interface, in this process."""

from pathlib import Path

import pytest
import torch
from command import without_origin
from noting import Noting
from tracking import installed, logged

import stabbench
from stabbench import Outcome, Recipe, Seeds, StabbenchError, Store
from stabbench.gate.rules import Rules


class Bursting(Recipe):
    """A learning rate that no model survives."""

    name = "bursting"
    lr = 1e30
    warmup = 0.0
    max_grad_norm = 0.0


def test_compare_gives_the_object_that_is_printed_and_leaves_torchs_threads_alone(tmp_path: Path) -> None:
    progress, threads = Noting(), torch.get_num_threads()
    done = stabbench.compare(
        ["devlin", stabbench.get_recipe("mosbach", epochs=10)], seeds=2, max_steps=3, store=tmp_path, progress=progress
    )
    assert isinstance(done, stabbench.Comparison)
    assert [runs.label for runs in done.recipes] == ["devlin", "mosbach:epochs=10"]
    assert "against devlin" in str(done)
    assert progress.plans == [(0, 4, 12)]
    assert progress.ticks == 12
    assert sorted(progress.trained) == [0, 0, 1, 1]
    assert torch.get_num_threads() == threads
    again = Noting()
    repeated = stabbench.compare(["devlin", "mosbach:epochs=10"], seeds=2, max_steps=3, store=tmp_path, progress=again)
    assert without_origin(str(repeated)) == without_origin(str(done))
    assert again.plans == []


def test_a_loss_that_is_not_finite_is_a_failed_run_not_a_crash(tmp_path: Path) -> None:
    done = stabbench.compare([Bursting()], seeds=3, max_steps=4, store=tmp_path)
    (runs,) = done.recipes
    assert (runs.failed, runs.summary.planned) == (3, 3)
    assert done.to_json()["recipes"]["bursting"]["scores"] == [None] * 3
    with Store(tmp_path, write=False) as store:
        for record in store.records():
            assert record.outcome is Outcome.FAILED
            assert "not finite from step 2" in record.reason
            assert record.final_loss is None
            losses = store.history(record.id).losses
            assert losses[0] is not None
            assert losses[1:] == [None] * 3


def test_a_failed_seed_does_not_hurt_its_neighbours(tmp_path: Path) -> None:
    """One recipe, one group: the seed whose loss is poisoned fails, the others are what they are alone."""

    class Poisoned(Recipe):
        """Poisons the second seed of a group of three."""

        name = "poisoned"

        def forward_weight(self, weight: torch.Tensor, pretrained: torch.Tensor, bernoulli: object) -> torch.Tensor:
            factors = torch.ones(len(weight), 1, 1)
            if len(weight) == 3:
                factors[1] = 1e30  # finite, but not what comes of it
            return weight * factors

    together = stabbench.compare([Poisoned()], seeds=3, stack=3, max_steps=4, store=tmp_path / "a").recipes[0].records
    alone = stabbench.compare([Poisoned()], seeds=3, stack=1, max_steps=4, store=tmp_path / "b").recipes[0].records
    assert together[1].outcome is Outcome.FAILED
    assert together[1].score is None
    for number in (0, 2):
        assert together[number].score == alone[number].score
        assert together[number].final_loss == alone[number].final_loss


def saved(family: str, folder: Path) -> str:
    """A tiny classifier of that family with the lab's tokenizer."""
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    from stabbench.models.source import find_model

    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    config = AutoConfig.for_model(family, vocab_size=120, max_position_embeddings=40, embedding_size=16, **sizes)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(find_model("lab").folder).save_pretrained(folder)
    return str(folder)


def test_a_model_that_cannot_be_stacked_is_trained_one_seed_at_a_time_and_it_says_so(tmp_path: Path) -> None:
    model, progress = saved("mpnet", tmp_path / "mpnet"), Noting()
    done = stabbench.compare(["devlin"], model=model, seeds=2, stack=2, max_steps=2, store=tmp_path, progress=progress)
    assert ["one seed at a time" in note and "rows of ids" in note for note in progress.notes] == [True]
    assert [record.stack for record in done.recipes[0].records] == [1, 1]


def test_a_model_of_an_unknown_family_is_trained_by_what_needs_no_blocks_only(tmp_path: Path) -> None:
    model = saved("rembert", tmp_path / "rembert")
    stabbench.compare(["devlin", "pretrained-weight-decay"], model=model, seeds=1, max_steps=2, store=tmp_path)
    for recipe in ("reinit", "llrd", "gradual-unfreezing", "gradual-unfreezing-restart:stages=2"):
        with pytest.raises(StabbenchError, match="blocks"):
            stabbench.compare([recipe], model=model, seeds=1, max_steps=2, store=tmp_path)


def test_streams_can_be_crossed(tmp_path: Path) -> None:
    grid = [Seeds.of(2 * i + j, initialisation=i, order=j) for i in range(2) for j in range(2)]
    done = stabbench.compare(["devlin"], seeds=grid, max_steps=2, store=tmp_path)
    assert [(r.seeds.initialisation, r.seeds.order) for r in done.recipes[0].records] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]
    assert len({r.final_loss for r in done.recipes[0].records}) == 4


def test_runs_that_would_be_the_same_are_refused(tmp_path: Path) -> None:
    """Three times the same run would look like no spread at all."""
    same = [Seeds.of(n, initialisation=0, order=0, dropout=0) for n in range(3)]
    with pytest.raises(StabbenchError, match="would be the same"):
        stabbench.compare(["devlin"], seeds=same, max_steps=2, store=tmp_path)
    with pytest.raises(StabbenchError, match="negative"):
        stabbench.compare(["devlin"], seeds=[Seeds.of(0, order=-1)], max_steps=2, store=tmp_path)
    with pytest.raises(StabbenchError, match="the same on this model"):
        stabbench.compare(["devlin", "devlin:weight_decay=0.01"], seeds=1, max_steps=2, store=tmp_path)


def test_data_that_change_between_two_calls_are_new_data(tmp_path: Path) -> None:
    """Nothing remembered from the first call may be scored under the second one's identity."""
    folder = tmp_path / "RTE"
    folder.mkdir()

    def write(every: int) -> None:
        labels = ["not_entailment" if i % every else "entailment" for i in range(24)]
        rows = [f"{i}\tcats see dogs\tdogs are seen by cats\t{label}" for i, label in enumerate(labels)]
        for split in ("train", "dev"):
            (folder / f"{split}.tsv").write_text("\n".join(["index\tsentence1\tsentence2\tlabel", *rows]))

    constants = []
    for every in (4, 2):
        write(every)
        done = stabbench.compare(
            ["devlin"], task="glue/rte", data_dir=str(tmp_path), seeds=1, max_steps=1, store=tmp_path / "store"
        )
        constants.append((done.constant_score, done.recipes[0].records[0].constant_score))
    assert constants == [(0.75, 0.75), (0.5, 0.5)]


def test_a_recipe_that_does_not_fit_the_model_is_refused_before_any_training(tmp_path: Path) -> None:
    class Forgetful(Recipe):
        """Trains nothing."""

        name = "forgetful"

        def groups(self, layout):  # type: ignore[no-untyped-def]
            return []

    class Endless(Recipe):
        """Never knows when to stop."""

        name = "endless"

        def total_steps(self, train_size: int) -> int:
            return 1 // 0

    for recipe, message in (
        (Forgetful(), "exactly once"),
        (Endless(), "ZeroDivisionError"),
        (stabbench.get_recipe("reinit", blocks=99), "the model has 12"),
    ):
        progress = Noting()
        with pytest.raises(StabbenchError, match=message):
            stabbench.compare(["devlin", recipe], seeds=1, max_steps=2, store=tmp_path, progress=progress)
        assert progress.trained == []


def test_a_limit_that_cuts_nothing_off_is_the_same_run(tmp_path: Path) -> None:
    short = stabbench.get_recipe("devlin", epochs=0.05)
    ids = {
        stabbench.compare([short], seeds=1, max_steps=limit, store=tmp_path).recipes[0].records[0].id
        for limit in (None, 3, 300)
    }
    assert len(ids) == 1


def test_the_public_names_are_there() -> None:
    for name in stabbench.__all__:
        assert getattr(stabbench, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        stabbench.nonsense  # noqa: B018


def test_results_measured_elsewhere(tmp_path: Path) -> None:
    scores = Path(__file__).parents[1] / "examples" / "scores.csv"
    both = stabbench.compare_results(scores, constant_score=0.5)
    assert [(runs.label, runs.failed) for runs in both.recipes] == [("devlin", 15), ("mosbach", 0)]
    assert "mosbach  25 " in str(both)
    named = stabbench.compare_results({"mosbach": scores, "devlin": str(scores)}, metric="accuracy", constant_score=0.5)
    assert [runs.label for runs in named.recipes] == ["mosbach", "devlin"], "the first is the reference"
    baselines = tmp_path / "baselines.json"
    stabbench.record_results({"mosbach": scores}, baselines, constant_score=0.5)
    new = scores.with_name("new_scores.csv")
    assert stabbench.gate_results({"mosbach": new}, baselines, constant_score=0.5).verdict == "PASS"
    frame = stabbench.gate_results({"mosbach": new}, baselines, constant_score=0.5).to_dataframe()
    assert list(frame["score"]) == [r.score for r in stabbench.compare_results({"mosbach": new}).recipes[0].records]
    strict = stabbench.gate_results({"mosbach": new}, baselines, constant_score=0.5, rules=Rules(max_std=1e-6))
    assert strict.verdict == "FAIL"
    with pytest.raises(stabbench.StabbenchError, match="no file or folder"):
        stabbench.compare_results([tmp_path / "nowhere"])


def test_a_command_with_a_tracker_that_fails_gives_what_it_gives_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, progress = installed(tmp_path, monkeypatch), Noting()
    how = {"seeds": 2, "max_steps": 1, "store": tmp_path / "store"}
    done = stabbench.compare(["devlin"], track=["full"], progress=progress, **how)  # type: ignore[arg-type]
    assert [r.seeds.seed for r in done.recipes[0].records] == [0, 1]
    assert logged(lines) == [0]
    assert ["the disk is full" in note for note in progress.notes] == [True]
    stabbench.compare(["devlin"], track=["lines"], **how)  # type: ignore[arg-type]
    assert logged(lines) == [0, 1], "what the store had is logged, too"
