"""Training files: what they say, and what is refused before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from training_files import PYTHON, training_file

from stabbench.errors import StabbenchError
from stabbench.runner.methods import find_method
from stabbench.trainings.file import read_training

PARAMETERS = '[parameters]\nlr = 2e-5\nepochs = 3\nfast = true\nkind = "a b"'
COMMAND = f"{PYTHON} mine.py {{seed}} {{output}} --lr {{lr}} --epochs {{epochs}} --fast {{fast}} --kind {{kind}}"


def test_a_label_names_what_differs_from_the_file(tmp_path: Path) -> None:
    path = training_file(tmp_path, more=PARAMETERS, command=COMMAND)
    assert find_method(str(path)).label == "mine"
    assert find_method(f"{path}:lr=0.00002").label == "mine"
    changed = read_training(f"{path}:lr=5e-05,epochs=10,fast=false,kind=c")
    assert changed.label == "mine:lr=5e-5,epochs=10,fast=false,kind=c"
    assert changed.parameters == {"lr": 5e-5, "epochs": 10, "fast": False, "kind": "c"}
    assert changed.definition() != read_training(str(path)).definition()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("lr=fast", "parameter lr must be a number, got 'fast'"),
        ("lr=nan", "must be finite"),
        ("epochs=1.5", "must be a whole number"),
        ("fast=1", "must be true or false"),
        ("kind= x", "cannot be ' x'"),
        ("lrr=1", "did you mean 'lr'"),
        ("lr", "'lr' is not parameter=value"),
        ("lr=1,lr=2", "given twice"),
        ("", "is not parameter=value"),
    ],
)
def test_parameters_of_the_wrong_kind_are_refused(tmp_path: Path, parameters: str, message: str) -> None:
    path = training_file(tmp_path, more=PARAMETERS, command=COMMAND)
    with pytest.raises(StabbenchError, match=message):
        read_training(f"{path}:{parameters}")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"command": f"{PYTHON} mine.py {{output}}"}, "the seed does not reach the command"),
        ({"command": f"{PYTHON} mine.py {{seed}}"}, "not told where its score is read from"),
        ({"command": "no-such-program {seed} {output}"}, "command not found: 'no-such-program'"),
        ({"command": "./absent.sh {seed} {output}"}, "command not found: './absent.sh'"),
        ({"command": "SEED={seed} python {output}"}, "sets no variable"),
        ({"command": f"{PYTHON} mine.py {{seed}} {{output}} > log"}, "no shell reads the command, so >"),
        ({"command": "python '{seed} {output}"}, "No closing quotation"),
        ({"command": ""}, "seed does not reach"),
        ({"command": f"{PYTHON} mine.py {{seed}} {{outptu}}"}, "unknown placeholder 'outptu': did you mean 'output'"),
        ({"command": 3}, "Expected `str`"),
        ({"command": None}, "it has no command"),
        ({"score": None}, "it has no score"),
        ({"score": "accuracy"}, "names no place"),
        ({"score": "result.json:accuracy"}, "is not in {output}"),
        ({"score": "stdout:("}, "is no regular expression"),
        ({"score": "stdout:(a)(b)"}, "one group at most"),
        ({"timeout": "soon"}, "timeout 'soon' is no time"),
        ({"timeout": 0}, "timeout 0.* is no time"),
        ({"inputs": ["data/*.csv"]}, "there is no such file"),
        ({"commnad": "x"}, "did you mean 'command'"),
        ({"labels": "dev.csv:label"}, "both say"),
        ({"name": "a:b"}, "cannot stand in a table"),
    ],
)
def test_a_file_that_says_nonsense_is_refused(tmp_path: Path, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(StabbenchError, match=message):
        read_training(str(training_file(tmp_path, **keys)))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("[parameters]\nlr = 1.0", "parameter lr has no effect"),
        ("[parameters]\nseed = 1", "a parameter cannot be called 'seed'"),
        ("[parameters]\nlr = [1]", "must be a number, a text"),
        ("constant_score = inf", "cannot be"),
        ('[env]\n"A=B" = "1"', "an environment variable without a name"),
        ("[", "cannot be read"),
    ],
)
def test_so_are_nonsensical_tables(tmp_path: Path, more: str, message: str) -> None:
    path = training_file(tmp_path, more=more, constant_score=None if "constant" in more else 0.5)
    with pytest.raises(StabbenchError, match=message):
        read_training(str(path))


def test_there_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(StabbenchError, match="there is no such file"):
        find_method(f"{tmp_path}/absent.toml:lr=1")


def test_what_its_inputs_hold_is_its_code(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("1")
    path = training_file(tmp_path, inputs=["data"], more='env = {X = "1"}')
    before = read_training(str(path))
    assert [file.name for file in before.inputs] == ["a.csv", "mine.py"], "the script counts without being listed"
    digests = {before.code()}
    (tmp_path / "data" / "a.csv").write_text("22")
    digests.add(read_training(str(path)).code())
    (tmp_path / "mine.py").write_text("another script")
    digests.add(read_training(str(path)).code())
    digests.add(
        read_training(str(training_file(tmp_path, "another script", inputs=["data"], more='env = {X = "2"}'))).code()
    )
    assert len(digests) == 4
    assert read_training(str(path)).definition() == before.definition()


def test_labels_give_the_constant_score(tmp_path: Path) -> None:
    (tmp_path / "dev.csv").write_text("text,label\n" + "x,yes\n" * 6 + "y,no\n" * 4)
    made = read_training(str(training_file(tmp_path, constant_score=None, labels="dev.csv:label", metric="accuracy")))
    assert made.constant_score == 0.6  # the larger class: 6 of 10
    assert made.metric == "accuracy"
    assert tmp_path / "dev.csv" in made.inputs
    for keys, message in (
        ({"labels": "dev.csv:lable", "metric": "accuracy"}, "did you mean 'label'"),
        ({"labels": "dev.csv:label", "metric": "r2"}, "is no number, and this is a regression"),
        ({"labels": "dev.csv:label", "metric": "nonsense"}, "unknown metric"),
        ({"labels": "dev.csv:label"}, "labels needs the metric"),
        ({"labels": "dev.csv", "metric": "accuracy"}, "names no column"),
        ({"labels": "absent.csv:label", "metric": "accuracy"}, "there is no such file"),
    ):
        with pytest.raises(StabbenchError, match=message):
            read_training(str(training_file(tmp_path, constant_score=None, **keys)))
