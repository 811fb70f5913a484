"""A task from files of one's own: what becomes of texts, labels and splits, and what is refused, with its place."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stabbench.errors import TaskError
from stabbench.tasks.registry import find_task, load, load_task, record_name
from stabbench.tasks.task import Task

ROWS = [("The soup was cold.", "bad"), ("Fine, thanks.", "ok"), ('So "good"!', "good")] * 10


def csv_text(rows: list[tuple[str, ...]], header: tuple[str, ...] = ("text", "label")) -> str:
    quoted = [[f'"{value.replace(chr(34), chr(34) * 2)}"' for value in row] for row in (header, *rows)]
    return "".join(",".join(row) + "\n" for row in quoted)


def made(folder: Path, toml: str, **files: str) -> Task:
    for name, text in files.items():
        path = folder / name.replace("_", ".")
        path.write_text(text, encoding="utf-8")
    (folder / "mine.toml").write_text(toml, encoding="utf-8")
    return load_task(str(folder / "mine.toml"))


def refused(folder: Path, text: str, message: str, toml: str = 'train = "rows.csv"', **files: str) -> None:
    with pytest.raises(TaskError, match=message):
        made(folder, toml, rows_csv=text, **files)


def test_a_file_by_itself_is_a_task(tmp_path: Path) -> None:
    (tmp_path / "menu.csv").write_text(csv_text(ROWS))
    task = load_task(str(tmp_path / "menu.csv"))
    assert (task.name, task.classes, task.metric) == ("menu", ("bad", "good", "ok"), "accuracy")
    assert Counter(task.train.labels) == {0: 8, 1: 8, 2: 8}
    assert Counter(task.evaluation.labels) == {0: 2, 1: 2, 2: 2}
    labels = [*task.train.labels, *task.evaluation.labels]
    rows = sorted(zip([*task.train.first, *task.evaluation.first], labels, strict=True))
    assert rows == sorted((text, float(task.classes.index(label))) for text, label in ROWS)
    assert "6 of 30 rows are for evaluation, with the same share of every class" in task.notes[0]


def test_every_format_gives_one_task(tmp_path: Path) -> None:
    import datasets
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"text": text, "label": label} for text, label in ROWS]
    columns = {name: [row[name] for row in rows] for name in ("text", "label")}
    (tmp_path / "a.csv").write_text(csv_text(ROWS))
    (tmp_path / "a.tsv").write_text(csv_text(ROWS).replace('","', '"\t"'))
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    (tmp_path / "columns.json").write_text(json.dumps(columns))
    (tmp_path / "inside.json").write_text(json.dumps({"data": rows}))
    table = pa.table(columns)
    pq.write_table(table, tmp_path / "a.parquet")
    for name, new in (("stream.arrow", pa.ipc.new_stream), ("file.arrow", pa.ipc.new_file)):
        with new(str(tmp_path / name), table.schema) as sink:
            sink.write_table(table)
    datasets.Dataset(datasets.table.InMemoryTable(table)).save_to_disk(str(tmp_path / "saved"))
    found = [path for path in tmp_path.iterdir() if not path.is_dir()] + [tmp_path / "saved"]
    assert len(found) == 10
    assert len({load_task(str(path)).digest for path in found}) == 1


def test_class_names_of_a_saved_data_set_and_its_splits(tmp_path: Path) -> None:
    import datasets

    features = datasets.Features(
        {"sentence": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])}
    )
    part = datasets.Dataset.from_dict({"sentence": list("abcd"), "label": [0, 1, 1, 0]}, features=features)
    hidden = datasets.Dataset.from_dict({"sentence": list("ab"), "label": [-1, -1]}, features=features)
    datasets.DatasetDict(train=part, validation=part, test=hidden).save_to_disk(str(tmp_path / "saved"))
    task = load_task(str(tmp_path / "saved"))
    assert (task.classes, task.evaluation.labels) == (("no", "yes"), [0, 1, 1, 0])
    with pytest.raises(TaskError, match=r"row 1, column 'label': the class number -1 is none of the 2"):
        made(tmp_path, 'train = {path = "saved", split = "train"}\nevaluation = {path = "saved", split = "test"}')
    with pytest.raises(TaskError, match="it has several splits"):
        made(tmp_path, 'train = "saved"')


def test_pairs_files_of_their_own_and_a_validation_set(tmp_path: Path) -> None:
    text = csv_text([("Why?", "So.", "1"), ("How?", "Thus.", "0")], ("question", "answer", "right"))
    task = made(
        tmp_path,
        'name = "qa"\ntrain = "a.csv"\nevaluation = "a.csv"\nvalidation = "a.csv"\ntext = ["question", "answer"]\n'
        'label = "right"\nmetric = "f1"',
        a_csv=text,
    )
    assert (task.name, task.kind, task.classes) == ("qa", "binary", ("0", "1"))
    assert task.train.second == ["So.", "Thus."]
    assert task.validation == task.evaluation == task.train
    assert task.notes == ("task 'qa': f1 is that of class '1'",)


def test_listed_classes_say_which_is_positive(tmp_path: Path) -> None:
    rows = [("a", "spam"), ("b", "ham")] * 10
    toml = 'train = "rows.csv"\nmetric = "f1"\nclasses = ["spam", "ham"]'
    assert made(tmp_path, toml, rows_csv=csv_text(rows)).classes == ("spam", "ham")
    refused(tmp_path, csv_text([*rows, ("c", "eggs")]), r"line 22, column 'label': unknown label 'eggs'", toml)


def test_whole_numbers_are_classes_in_their_order_and_others_a_regression(tmp_path: Path) -> None:
    stars = made(tmp_path, 'train = "rows.csv"', rows_csv=csv_text([(f"t{i}", str(i % 11)) for i in range(55)]))
    assert stars.classes == tuple(map(str, range(11)))
    prices = csv_text([(f"t{i}", str(i / 4)) for i in range(20)])
    task = made(tmp_path, 'train = "rows.csv"', rows_csv=prices)
    assert (task.kind, task.metric, task.outputs) == ("regression", "r2", 1)
    assert sorted([*task.train.labels, *task.evaluation.labels]) == [i / 4 for i in range(20)]
    whole = csv_text([(f"t{i}", str(i)) for i in range(20)])
    assert made(tmp_path, 'train = "rows.csv"\nmetric = "pearson"', rows_csv=whole).kind == "regression"


def test_numbers_of_json_may_be_written_with_and_without_a_fraction(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({"text": f"t{i}", "label": i / 2 if i % 2 else i // 2}) for i in range(10))
    assert made(tmp_path, 'train = "rows.jsonl"', rows_jsonl=lines).kind == "regression"


def test_several_labels_as_lists_and_as_columns(tmp_path: Path) -> None:
    chosen = [["rude"], [], ["rude", "loud"], ["loud"]] * 5
    lists = "\n".join(json.dumps({"text": f"t{i}", "label": names}) for i, names in enumerate(chosen))
    columns = csv_text(
        [(f"t{i}", str(int("loud" in n)), str(int("rude" in n))) for i, n in enumerate(chosen)],
        ("text", "loud", "rude"),
    )
    one = made(tmp_path, 'train = "rows.jsonl"', rows_jsonl=lists)
    other = made(tmp_path, 'train = "rows.csv"\nlabel = ["loud", "rude"]', rows_csv=columns)
    assert (one.kind, one.metric, one.classes, one.outputs) == ("multi-label", "macro_f1", ("loud", "rude"), 2)
    assert one.digest == other.digest
    assert set(one.train.labels) == {(), (0,), (1,), (0, 1)}
    refused(tmp_path, columns.replace('"1"', '"2"', 1), "line 2, column 'rude': '2' is neither 0 nor 1",
            'train = "rows.csv"\nlabel = ["loud", "rude"]')  # fmt: skip


def test_a_text_stays_as_it_is_written(tmp_path: Path) -> None:
    odd = ["NA", "null", "007", " spaced ", "two\nlines", 'a "quoted" word', "1e5", "é日本"] * 4
    (tmp_path / "odd.csv").write_text(
        csv_text([(text, str(i // 8 % 2)) for i, text in enumerate(odd)]), encoding="utf-8"
    )
    task = load_task(str(tmp_path / "odd.csv"))
    assert sorted([*task.train.first, *task.evaluation.first]) == sorted(odd)


def test_the_split_is_that_of_the_rows_and_not_of_the_name(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(csv_text(ROWS))
    one, other = (load_task(str(tmp_path / f"{name}.csv")) for name in "ab")
    assert one.evaluation == other.evaluation
    assert one.digest == other.digest


def test_two_files_of_one_name_are_told_apart_by_their_data(tmp_path: Path) -> None:
    for folder, rows in (("a", ROWS), ("b", ROWS[1:])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.csv").write_text(csv_text(rows))
    one, other = (load_task(str(tmp_path / folder / "mine.csv")) for folder in "ab")
    assert one.name == other.name
    assert one.digest != other.digest


def test_a_variant_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd:folder").mkdir()
    (tmp_path / "odd:folder" / "mine.csv").write_text(csv_text(ROWS))
    whole = find_task("odd:folder/mine.csv")
    varied = find_task("odd:folder/mine.csv:examples=9")
    assert (whole.name, varied.name, record_name("odd:folder/mine.csv:examples=9")) == (
        "mine", "mine:examples=9", "mine:examples=9",
    )  # fmt: skip
    monkeypatch.chdir("/")
    assert len(load(varied).train) == 9


# Each with the part of the message that says where, and what.
BAD: list[tuple[str, str, str]] = [
    ("text,label\n", "", "it has no rows"),
    ("", "", "the file is empty"),
    ("text,label\na,x\nb,y,z\n", "", "line 3: 3 columns, but the header has 2"),
    ("text,label\na,x\nb\n", "", "line 3: 1 columns, but the header has 2"),
    ('text,label\na,x\n"b,y\n', "", "line 3: unexpected end of data"),
    ("text,text\na,x\n", "", "line 1: column 'text' is there twice"),
    ("words,label\na,x\n", "", "no column of the usual name of a text"),
    ("text,kind\na,x\n", "", "no column of the usual name of a label"),
    ("text,label\na,x\nb,\n", "", "line 3, column 'label': the row has no label"),
    ("text,label\n ,x\n ,y\n", "", "line 2, column 'text': no text, nor in any other row"),
    ("text,label\na,x\nb,x\nc,x\nd,x\ne,x\n", "", "the training set has one label only"),
    ("text,label\na,x\nb,y\n", 'evaluation = "same.csv"', "the evaluation set has one label only, 'x'"),
    ("text,label\na,1\nb,two\n", 'metric = "r2"', "line 3, column 'label': the label 'two' is no number"),
    ("text,label\na,1\nb,2000\n", 'metric = "r2"', r"line 3, column 'label': the label '2000' is not within"),
    ("text,label\n" + "a,x\nb,y\nc,z\n" * 5, 'metric = "f1"', "metric 'f1' does not score 3 classes"),
    ("text,label\na,x\nb,y\n", 'metric = "macrof1"', "unknown metric 'macrof1': did you mean 'macro_f1'"),
    ("text,label\na,x\nb,y\n", 'text = "review"', "unknown column 'review'"),
    ("text,label\na,x\nb,y\n", 'lable = "label"', "unknown key in task file .*'lable': did you mean 'label'"),
    ("text,label\na,x\nb,y\n", "evaluation = 1.5", "evaluation is a share of the training set above 0 and below 1"),
    ("text,label\na,x\nb,y\n", 'evaluation = "none.csv"', "none.csv: there is no such file"),
    (
        "text,label\na,x\nb,y\n",
        'evaluation = "dev.csv"',
        "dev.csv, line 3, column 'label': unknown label 'eggs'; known: x, y",
    ),
    ("text,label\na,x\nb,y\n", 'evaluation = "rows.txt"', "files that end in '.txt' are not read"),
    ("text,label\na,x\nb,y\n", "evaluation = {split = 'x'}", "evaluation needs a path or a dataset"),
    ("text,label\na,x\nb,y\n", "evaluation = {pfad = 'x'}", "unknown key of evaluation in task file .*'pfad'"),
    ("text,label\na,x\nb,y\n", 'text = ["text", "text"]', "names one twice"),
    ("text,label\na,x\nb,y\n", 'text = ["a", "b", "c"]', "a model reads one text or two"),
    ("text,label\na,x\nb,y\n", 'name = "a:b"', "its name 'a:b' cannot stand in a table"),
    ("text,label\na,x\nb,y\n", "text = 3", r"Expected `str \| array`, got `int`"),
    ("text,label\na,x\nb,y\n", "[[", "cannot be read"),
    ("text,label\n" + "".join(f"t{i},{i}x\n" for i in range(60)), "", "has 60 different labels in 60 rows"),
]


@pytest.mark.parametrize(("text", "more", "message"), BAD)
def test_what_is_refused_says_where(tmp_path: Path, text: str, more: str, message: str) -> None:
    dev = "text,label\na,x\nb,eggs\n"
    refused(tmp_path, text, message, f'train = "rows.csv"\n{more}\n', dev_csv=dev, same_csv=dev.replace("eggs", "x"))


JSON_BAD: list[tuple[list[Any], str]] = [
    (
        [{"text": "a", "label": 1}, {"text": "b", "label": "1"}],
        "line 2, column 'label': the label '1' is a text, and the",
    ),
    (
        [{"text": "a", "label": True}, {"text": "b", "label": 1}],
        "line 2, column 'label': the label 1 is a number, and the",
    ),
    ([{"text": "a", "label": "x"}, {"text": 7, "label": "y"}], "line 2, column 'text': 7 in place of a text"),
    ([{"text": "a", "label": "x"}, {"label": "y"}], "line 2, column 'text': nothing in place of a text"),
    (
        [{"text": "a", "label": "x"}, {"text": "b", "label": {"a": 1}}],
        r"line 2, column 'label': \{'a': 1\} is no label",
    ),
    ([{"text": "a", "label": ["x", 1.5]}], "line 1, column 'label': 1.5 is no name of a class"),
    ([{"text": "a", "label": "x"}, 7], "line 2: 7 in place of an object"),
]


@pytest.mark.parametrize(("rows", "message"), JSON_BAD)
def test_what_is_refused_of_json_lines(tmp_path: Path, rows: list[Any], message: str) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(TaskError, match=message):
        load_task(str(tmp_path / "a.jsonl"))


def test_an_encoding_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text,label\na,x\ncafé,y\n".encode("latin-1"))
    with pytest.raises(TaskError, match="line 3: not UTF-8"):
        load_task(str(tmp_path / "a.csv"))


def test_a_long_text_in_an_error_is_cut_short(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,x\nb,y\n")
    toml = 'train = "a.csv"\nevaluation = "b.csv"'
    with pytest.raises(TaskError) as caught:
        made(tmp_path, toml, b_csv=f"text,label\na,{'x' * 100_000}\n")
    assert re.search(r"unknown label 'x+… \(100,002 characters\)", caught.value.message)


def test_a_folder_for_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_text(ROWS))
    with pytest.raises(TaskError, match="takes no data folder"):
        load_task(str(tmp_path / "a.csv"), tmp_path)
