"""Which score, which seed, which runs failed; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stabbench.errors import StabbenchError
from stabbench.imported.choice import Choice
from stabbench.imported.runs import read_all
from stabbench.records.provenance import provenance
from stabbench.records.recipe_runs import check_complete, check_failures_known
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.scoring import LARGEST_SCORE


def table(folder: Path, text: str, name: str = "runs.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def read(path: Path, **choice: object) -> list[RunRecord]:
    (runs,) = read_all([("", path)], Choice(**choice))  # type: ignore[arg-type]
    return list(runs.records)


def refused(path: Path, **choice: object) -> str:
    with pytest.raises(StabbenchError) as error:
        read(path, **choice)
    return str(error.value)


def test_without_a_constant_score_nobody_knows_which_runs_failed(tmp_path: Path) -> None:
    path = table(tmp_path, "seed,score\n0,0.5\n1,0.75\n2,nan\n")
    (runs,) = read_all([("", path)], Choice())
    assert [r.outcome for r in runs.records] == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.FAILED]
    assert not runs.failures_known
    assert all(r.constant_score is None for r in runs.records)
    (known,) = read_all([("", path)], Choice(constant_score=0.5))
    assert [r.outcome for r in known.records] == [Outcome.FAILED, Outcome.OK, Outcome.FAILED]
    assert known.failures_known


def test_a_column_says_what_failed(tmp_path: Path) -> None:
    path = table(tmp_path, "seed,score,failed\n0,0.5,true\n1,0.75,False\n2,,1\n3,0.4,no\n4,0.6,\n")
    found = [(r.score, r.outcome) for r in read(path)]
    assert found == [
        (0.5, Outcome.FAILED), (0.75, Outcome.OK), (None, Outcome.FAILED), (0.4, Outcome.OK), (0.6, Outcome.UNKNOWN),
    ]  # fmt: skip
    assert [r.outcome for r in read(path, constant_score=0.45)][3:] == [Outcome.FAILED, Outcome.OK], "either will do"
    assert "line 2 has failed 'maybe'" in refused(table(tmp_path, "seed,score,failed\n0,0.5,maybe\n"))


def test_a_loss_is_negated_by_name(tmp_path: Path) -> None:
    """As scikit-learn does: neg_log_loss. A constant score is in the loss's own units."""
    path = table(tmp_path, "seed,eval_loss\n0,0.7\n1,0.693\n2,0.3\n3,0\n")
    records = read(path, lower_is_better=True, constant_score=0.693)
    assert [r.score for r in records] == [-0.7, -0.693, -0.3, 0.0]
    assert [r.outcome.value for r in records] == ["failed", "failed", "ok", "ok"]
    assert {r.metric for r in records} == {"neg_eval_loss"}
    assert {r.constant_score for r in records} == {-0.693}
    assert "-0.0" not in str([r.score for r in records])


def test_the_only_metric_is_taken_and_several_are_listed(tmp_path: Path) -> None:
    assert {r.metric for r in read(table(tmp_path, "seed,accuracy,notes\n0,0.5,fine\n"))} == {"accuracy"}
    assert {r.metric for r in read(table(tmp_path, "lr,seed,score\n1,0,0.5\n"))} == {"score"}
    two = table(tmp_path, "seed,accuracy,f1\n0,0.5,0.4\n1,0.6,\n")
    assert "accuracy, f1" in refused(two)
    assert "--metric" in refused(two)
    assert [r.score for r in read(two, metric="accuracy")] == [0.5, 0.6]
    assert "line 3 has no f1" in refused(two, metric="f1"), "a metric that some lack"
    assert "it has: accuracy, f1" in refused(two, metric="mcc")
    assert "has no metric" in refused(table(tmp_path, "seed,notes\n0,fine\n"))


@pytest.mark.parametrize(
    ("text", "score"), [("0.75", 0.75), (" .5 ", 0.5), ("1e-3", 0.001), ("+1", 1.0), ("-2.", -2.0)]
)
def test_numbers_are_written_in_one_way(text: str, score: float, tmp_path: Path) -> None:
    assert [r.score for r in read(table(tmp_path, f"seed,score\n0,{text}\n"), metric="score")] == [score]


@pytest.mark.parametrize("text", ["0x1", "1_0", "٣", "83%", "True", "abc", "1 2"])
def test_what_is_no_number_is_refused_with_its_line(text: str, tmp_path: Path) -> None:
    said = refused(table(tmp_path, f"seed,score\n0,0.5\n1,{text}\n"))
    assert "line 3" in said
    assert "is no number" in said


def test_infinities_are_failed_runs_and_absurd_scores_are_refused(tmp_path: Path) -> None:
    assert [r.outcome for r in read(table(tmp_path, "seed,score\n0,inf\n1,-Infinity\n2,1e999\n"))] == [
        Outcome.FAILED
    ] * 3
    assert "is no score" in refused(table(tmp_path, f"seed,score\n0,{LARGEST_SCORE * 10}\n"))


@pytest.mark.parametrize("seed", ["-1", "1.5", "abc", "1e3", "99999999999999999999", "9223372036854775808"])
def test_what_is_no_seed_is_refused(seed: str, tmp_path: Path) -> None:
    assert "seed" in refused(table(tmp_path, f"seed,score\n{seed},0.5\n"))


def test_a_missing_seed_is_an_error_that_says_where_to_find_one(tmp_path: Path) -> None:
    said = refused(table(tmp_path, "name,score,random_seed\nrun-3,0.5,3\n"))
    assert "no seed, and none is guessed" in said
    assert "--seed-from random_seed" in said
    assert "'run-3'" in said
    assert "has no seed" in refused(table(tmp_path, "seed,score\n,0.5\n"))


def test_the_seed_from_a_column_or_a_name(tmp_path: Path) -> None:
    path = table(tmp_path, "name,score,random_seed\nbert-s3,0.5,7.0\nbert-s4,0.6,8.0\n")
    assert [r.seeds.seed for r in read(path, metric="score", seed_from="random_seed")] == [7, 8]
    assert [r.seeds.seed for r in read(path, metric="score", seed_from=r"s(\d+)$")] == [3, 4]
    assert [r.seeds.seed for r in read(path, metric="score", seed_from=r"\d+")] == [3, 4], "without a group, all of it"
    assert "finds no seed in 'bert-s3'" in refused(path, metric="score", seed_from=r"seed(\d+)")
    assert "is no seed" in refused(path, metric="score", seed_from="(bert)")
    assert "no regular expression" in refused(path, seed_from="(")


def test_a_seed_that_is_there_twice_is_refused_unless_it_crashed_before(tmp_path: Path) -> None:
    said = refused(table(tmp_path, "seed,score\n0,0.5\n1,0.6\n0,0.7\n"))
    assert "seed 0 is there twice" in said
    assert "line 2 and" in said
    again = table(tmp_path, "Name,State,seed,acc\na,crashed,0,\nb,finished,0,0.5\nc,killed,1,\nd,failed,1,\n")
    assert [(r.score, r.outcome.value) for r in read(again)] == [(0.5, "unknown"), (None, "missing")]


def test_a_crashed_run_is_what_the_user_says(tmp_path: Path) -> None:
    path = table(tmp_path, "Name,State,seed,acc\na,finished,0,0.7\nb,crashed,1,\nc,finished,2,0.8\nd,running,3,0.1\n")
    with pytest.raises(StabbenchError, match=r"2 of 4 runs are missing \([^)]*crashed\)\n.*--crashed left-out"):
        check_complete(read_all([("", path)], Choice()))
    failed = read(path, crashed="failed", constant_score=0.5)
    assert [(r.score, r.outcome.value) for r in failed] == [
        (0.7, "ok"),
        (None, "failed"),
        (0.8, "ok"),
        (None, "failed"),
    ]
    assert failed[1].reason == "its state in W&B is crashed"
    (without,) = read_all([("", path)], Choice(crashed="left-out"))
    assert [r.seeds.seed for r in without.records] == [0, 2]
    assert "left out for want of a score: seed 1, 3" in provenance([without])
    none = table(tmp_path, "Name,State,seed,acc\na,crashed,0,\n")
    assert "no run of 'runs' has a score" in refused(none, crashed="left-out", metric="acc")
    assert "did you mean 'failed'" in refused(path, crashed="faild")


def test_what_a_run_was_given_is_no_score(tmp_path: Path) -> None:
    """A table of W&B has the configuration beside the summary, and does not say which is which."""
    head = "Name,State,lr,per_device_train_batch_size,num_train_epochs,seed,weight_decay,eval/runtime,train/global_step"
    one = table(tmp_path, f"{head},eval/accuracy\na,finished,2e-5,16,3,0,0.1,9,100,0.7\n")
    assert {r.metric for r in read(one)} == {"eval/accuracy"}
    two = table(tmp_path, f"{head},eval/accuracy,eval/loss\na,finished,2e-5,16,3,0,0.1,9,100,0.7,0.5\n")
    assert "several metrics: eval/accuracy, eval/loss" in refused(two)
    assert [r.score for r in read(two, metric="weight_decay")] == [0.1], "but it is the user who knows"
    assert [r.score for r in read(table(tmp_path, "seed,lr\n0,0.5\n"))] == [0.5], "nothing else is there"


def test_a_table_may_have_a_row_for_each_metric(tmp_path: Path) -> None:
    path = table(tmp_path, "seed,metric,score\n0,acc,0.7\n0,f1,0.6\n1,acc,0.8\n1,f1,0.5\n")
    assert "several metrics: acc, f1" in refused(path)
    assert [(r.metric, r.score) for r in read(path, metric="f1")] == [("f1", 0.6), ("f1", 0.5)]
    assert "has no metric 'mcc'" in refused(path, metric="mcc")


def test_a_column_says_what_a_constant_predictor_scores(tmp_path: Path) -> None:
    path = table(tmp_path, "seed,score,constant_score\n0,0.5,0.5\n1,0.6,0.5\n")
    assert [(r.outcome.value, r.constant_score) for r in read(path)] == [("failed", 0.5), ("ok", 0.5)]
    assert [r.outcome.value for r in read(path, constant_score=0.6)] == ["failed", "failed"], "the option counts"
    for cells, said in (
        ("0,1,0.5\n1,1,0.6\n", "several constant scores: 0.5, 0.6"),
        ("0,1,half\n", "no finite number"),
    ):
        assert said in refused(table(tmp_path, f"seed,score,constant_score\n{cells}"))
    path = table(tmp_path, "seed,score,constant_score\n0,0.5,0.5\n")
    assert read(table(tmp_path, "seed,score,constant_score\n0,0.5,nan\n", "nan.csv"))[0].constant_score is None
    other = table(tmp_path, "seed,score\n0,0.5\n", "other.csv")
    with pytest.raises(StabbenchError, match="not of one constant score"):
        read_all([("", path), ("", other)], Choice())


def test_a_model_is_a_part_of_the_setting_where_all_results_name_the_same(tmp_path: Path) -> None:
    paths = [table(tmp_path, f"model,seed,score\n{model},0,0.5\n", f"{model}.csv") for model in ("bert", "mpnet")]
    assert [runs.records[0].model for runs in read_all([("", path) for path in paths], Choice())] == ["unknown"] * 2
    assert {r.model for r in read(paths[0])} == {"bert"}


def test_one_file_may_hold_several_recipes(tmp_path: Path) -> None:
    path = table(tmp_path, "recipe,seed,score\nold,0,0.5\nnew,0,0.6\nold,1,0.7\nnew,1,0.8\n")
    both = read_all([("", path)], Choice())
    assert {runs.label: [r.score for r in runs.records] for runs in both} == {"old": [0.5, 0.7], "new": [0.6, 0.8]}
    (new,) = read_all([("new", path)], Choice())
    assert new.label == "new"
    with pytest.raises(StabbenchError, match="did you mean 'new'"):
        read_all([("newer", path)], Choice())
    with pytest.raises(StabbenchError, match="two recipes 'new'"):
        read_all([("", path), ("new", path)], Choice())


def test_results_are_of_one_task_and_one_metric(tmp_path: Path) -> None:
    path = table(tmp_path, "task,seed,score\nrte,0,0.5\nmrpc,0,0.6\n")
    assert "several tasks: mrpc, rte" in refused(path)
    assert [(r.task, r.score) for r in read(path, task="rte")] == [("rte", 0.5)]
    assert "did you mean 'rte'" in refused(path, task="rt")
    one, other = table(tmp_path, "seed,acc\n0,0.5\n", "a"), table(tmp_path, "seed,f1\n0,0.5\n", "b")
    with pytest.raises(StabbenchError, match=r"not of one metric: acc \(a\), f1 \(b\)"):
        read_all([("", one), ("", other)], Choice())


def test_a_task_may_be_named(tmp_path: Path) -> None:
    assert {r.task for r in read(table(tmp_path, "seed,score\n0,0.5\n"), task="reviews")} == {"reviews"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("seed,score\n", "has no runs"),
        ("seed,score\n0\n", "line 2 has 1 cells"),
        ("seed,score,score\n0,1,1\n", "column 'score' 2 times"),
        ('{"seed": 0, "score": 0.5}\n{"seed"\n', "line 2 is no JSON"),
        ('{"seed": 0, "seed": 1, "score": 0.5}\n', "a key twice"),
        ("[1]", "item 1 is no JSON object"),
        ("[", "is no JSON"),
        ('"seed,score\n0,1\n', "line 2: unexpected end"),
    ],
)
def test_tables_that_are_none(content: str, said: str, tmp_path: Path) -> None:
    assert said in refused(table(tmp_path, content))


def test_files_of_spreadsheets(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes("seed;score\r\n0;0.5\r\n1;0.75\r\n".encode("utf-16"))
    assert [r.score for r in read(path)] == [0.5, 0.75]
    path.write_bytes(b"\xef\xbb\xbfseed\tscore\r\n0\t0.5\r\n")
    assert [r.score for r in read(path)] == [0.5]
    path.write_bytes(b"seed,score,note\n0,0.5,caf\xe9\n")
    assert "no text in UTF-8" in refused(path)


def test_what_is_no_results(tmp_path: Path) -> None:
    assert "there is no file or folder" in refused(tmp_path / "nowhere")
    assert "holds no results" in refused(tmp_path)
    for magic in (b"\x80\x04", b"PK\x03\x04"):
        (tmp_path / "training_args.bin").write_bytes(magic + b"cos\nsystem\n")
        assert "pickle" in refused(tmp_path / "training_args.bin")
    (tmp_path / "a.db").write_bytes(b"SQLite format 3\0" + b"x" * 200)
    assert "cannot be read" in refused(tmp_path / "a.db")


def trained(folder: Path, seed: int | None = None, **results: float) -> Path:
    folder.mkdir(parents=True)
    (folder / "all_results.json").write_text(json.dumps(results))
    (folder / "training_args.bin").write_bytes(b"PK\x03\x04")
    if seed is not None:
        (folder / "training_args.yaml").write_text(f"seed: {seed}\nlr: 1e-5\n")
    return folder


def test_a_folder_of_trainer_outputs(tmp_path: Path) -> None:
    trained(tmp_path / "a", 3, eval_accuracy=0.75, eval_loss=0.5, eval_runtime=1.0, epoch=3.0)
    trained(tmp_path / "deep" / "b", 4, eval_accuracy=0.5, eval_loss=0.6)
    assert "eval_accuracy, eval_loss" in refused(tmp_path)
    assert [(r.seeds.seed, r.score) for r in read(tmp_path, metric="eval_accuracy")] == [(3, 0.75), (4, 0.5)]
    assert [r.score for r in read(tmp_path / "a", metric="eval_accuracy")] == [0.75], "one run's own folder"
    trained(tmp_path / "again", 3, eval_accuracy=0.8)
    assert "seed 3 is there twice" in refused(tmp_path, metric="eval_accuracy")


def test_a_pickle_is_never_loaded_for_its_seed(tmp_path: Path) -> None:
    trained(tmp_path / "seed-7", eval_accuracy=0.75)
    said = refused(tmp_path)
    assert "training_args.bin has one, but is a pickle, which is never loaded" in said
    assert "--seed-from 'seed-" in said
    assert [r.seeds.seed for r in read(tmp_path, seed_from=r"seed-(\d+)")] == [7]
    (tmp_path / "seed-7" / "training_args.yaml").write_text("seed: 3\n")
    (tmp_path / "seed-7" / "README.md").write_text("- seed: 4\n")
    assert "not the same one" in refused(tmp_path)
    assert [r.seeds.seed for r in read(tmp_path, seed_from=r"seed-(\d+)")] == [7]


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ({"global_step": 600, "max_steps": 600}, "unknown"),
        ({"global_step": 300, "max_steps": 600}, "missing"),
        (
            {
                "global_step": 300,
                "max_steps": 600,
                "stateful_callbacks": {"TrainerControl": {"args": {"should_training_stop": True}}},
            },
            "unknown",
        ),
        ({}, "missing"),
    ],
    ids=["finished", "killed", "stopped early", "cut"],
)
def test_runs_with_checkpoints_alone(state: dict[str, object], outcome: str, tmp_path: Path) -> None:
    """A script need not save its results; the last checkpoint says how far it came."""
    for step, score in ((90, 0.4), (600, 0.75)):
        checkpoint = tmp_path / "seed-1" / f"checkpoint-{step}"
        checkpoint.mkdir(parents=True)
        log = [{"loss": 0.7, "step": 1}, {"eval_accuracy": score, "eval_runtime": 1.0, "step": step}]
        (checkpoint / "trainer_state.json").write_text(json.dumps({**state, "log_history": log}))
    (run,) = read(tmp_path, seed_from=r"seed-(\d+)", metric="eval_accuracy")
    assert run.outcome.value == outcome
    assert run.score == (None if outcome == "missing" else 0.75)


def test_what_is_missing_or_unknown_is_no_basis_of_a_verdict(tmp_path: Path) -> None:
    crashed = read_all([("bert", table(tmp_path, "seed,score,outcome\n0,0.5,ok\n1,,missing\n"))], Choice())
    with pytest.raises(StabbenchError, match=r"1 of 2 runs are missing \(bert, seed 1: "):
        check_complete(crashed)
    unknown = read_all([("bert", table(tmp_path, "seed,score\n0,0.5\n"))], Choice())
    check_complete(unknown)
    with pytest.raises(StabbenchError, match="nobody knows which runs of bert failed"):
        check_failures_known(unknown)
    assert unknown[0].to_json()["failed"] is None
    check_failures_known(read_all([("bert", table(tmp_path, "seed,score\n0,0.5\n"))], Choice(constant_score=0.4)))


def test_where_the_runs_come_from_is_said(tmp_path: Path) -> None:
    runs = read_all([("bert", table(tmp_path, "seed,score\n0,0.5\n"))], Choice())
    assert provenance(runs) == f"measured elsewhere: bert from {tmp_path / 'runs.csv'} (a table)"
    assert runs[0].to_json()["source"] == f"{tmp_path / 'runs.csv'} (a table)"
    assert runs[0].to_json()["from_store"] == [False]
