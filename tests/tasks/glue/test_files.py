"""The official TSV layout, written here column for column: what is read, and what is refused where."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from stabbench.errors import TaskError
from stabbench.tasks.glue.specs import GLUE_TASKS
from stabbench.tasks.registry import load_task

_STSB = ("index", "genre", "filename", "year", "old_index", "source1", "source2", "sentence1", "sentence2", "score")
_PARSES = ("sentence1_binary_parse", "sentence2_binary_parse", "sentence1_parse", "sentence2_parse")
# The headers of the official files; columns that no test fills hold "-".
HEADERS: dict[str, tuple[str, ...]] = {
    "glue/cola": ("source", "label", "star", "sentence"),
    "glue/sst2": ("sentence", "label"),
    "glue/mrpc": ("Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"),
    "glue/stsb": _STSB,
    "glue/qqp": ("id", "qid1", "qid2", "question1", "question2", "is_duplicate"),
    "glue/mnli": ("index", "promptID", "pairID", "genre", *_PARSES, "sentence1", "sentence2", "label1", "gold_label"),
    "glue/qnli": ("index", "question", "sentence", "label"),
    "glue/rte": ("index", "sentence1", "sentence2", "label"),
    "glue/wnli": ("index", "sentence1", "sentence2", "label"),
}
BAD_SCORES = ("", "x", "nan", "inf", "1_0", "٣", "1e308", "1e400", "-1001")
_GOLD = ("neutral", "contradiction")
HEADERS["glue/mnli-mismatched"] = HEADERS["glue/mnli"]
COLA = GLUE_TASKS["glue/cola"]


def line(name: str, first: str, second: str | None, label: str) -> str:
    """One row in the official column order."""
    texts = GLUE_TASKS[name].columns if name != "glue/cola" else ("sentence", None, "label")
    values = dict(zip(texts, (first, second, label), strict=True))
    return "\t".join(values.get(column, "-") or "" for column in HEADERS[name])


def write(folder: Path, name: str, *rows: str, split: str = "both", header: bool = True, encoding: str = "") -> Path:
    """Write rows as the task's files, in the folder that the official download has for them."""
    spec = GLUE_TASKS[name]
    lines = ["\t".join(HEADERS[name])] if header and name != "glue/cola" else []
    files = {"train": "train", "evaluation": spec.evaluation[0]}
    (folder / spec.folder).mkdir(exist_ok=True)
    for key, file in files.items():
        if split in (key, "both"):
            text = "".join(f"{row}\n" for row in (*lines, *rows))
            (folder / spec.folder / f"{file}.tsv").write_bytes(text.encode(encoding or "utf-8"))
    return folder


def labels_of(name: str) -> list[str]:
    return list(GLUE_TASKS[name].classes) or ["0.000", "3.25", "5"]


def full(folder: Path, name: str) -> Path:
    second = None if GLUE_TASKS[name].columns[1] is None else "other"
    return write(folder, name, *(line(name, f"text {label}", second, label) for label in labels_of(name)))


def refusal(folder: Path, name: str = "glue/rte") -> str:
    with pytest.raises(TaskError) as caught:
        load_task(name, folder)
    return str(caught.value)


@pytest.mark.parametrize("name", GLUE_TASKS)
def test_every_task_is_read_from_its_official_columns(tmp_path: Path, name: str) -> None:
    task = load_task(name, full(tmp_path, name))
    labels = labels_of(name)
    for examples in (task.train, task.evaluation):
        assert list(examples.first) == [f"text {label}" for label in labels]
        assert examples.second is None or list(examples.second) == ["other"] * len(labels)
        assert list(examples.labels) == (list(range(len(labels))) if task.classes else [0.0, 3.25, 5.0])
    assert (task.train.second is None) == (name in ("glue/cola", "glue/sst2"))


def test_the_folder_may_be_the_tasks_own(tmp_path: Path) -> None:
    root = full(tmp_path, "glue/rte")
    assert load_task("glue/rte", root / "RTE").digest == load_task("glue/rte", root).digest


def test_the_source_names_the_folder(tmp_path: Path) -> None:
    assert str(tmp_path / "RTE") in load_task("glue/rte", full(tmp_path, "glue/rte")).source


def test_cola_has_no_header_so_its_first_line_is_an_example(tmp_path: Path) -> None:
    task = load_task("glue/cola", write(tmp_path, "glue/cola", "gj04\t1\t\tThey drank.", "gj04\t0\t*\tThey drank the."))
    assert (task.train.first, task.train.labels) == (["They drank.", "They drank the."], [1.0, 0.0])


def test_a_byte_order_mark_is_not_part_of_the_header(tmp_path: Path) -> None:
    write(tmp_path, "glue/mrpc", "1\t7\t8\tone\ttwo", "0\t7\t8\tthree\tfour", encoding="utf-8-sig")
    assert load_task("glue/mrpc", tmp_path).evaluation.second == ["two", "four"]


def test_mnli_is_scored_on_the_matched_genres_whose_file_has_more_labels(tmp_path: Path) -> None:
    full(tmp_path, "glue/mnli")
    header = (*HEADERS["glue/mnli"][:-1], "label2", "label3", "label4", "label5", "gold_label")
    labels = ["entailment", "neutral", "neutral", "neutral", "neutral", "neutral"]
    for split in ("matched", "mismatched"):
        rows = (header, *(["-"] * 8 + [f"{split} 1", f"{split} 2", *labels[:-1], gold] for gold in _GOLD))
        (tmp_path / "MNLI" / f"dev_{split}.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    for name, split in (("glue/mnli", "matched"), ("glue/mnli-mismatched", "mismatched")):
        task = load_task(name, tmp_path)
        assert (task.evaluation.first, task.evaluation.second) == ([f"{split} 1"] * 2, [f"{split} 2"] * 2)
        assert task.evaluation.labels == [1.0, 2.0]
        assert task.train == load_task("glue/mnli", tmp_path).train


def test_qqp_is_read_without_its_torn_rows(tmp_path: Path) -> None:
    whole = [line("glue/qqp", "why?", "why not?", str(n % 2)) for n in range(298)]
    rows = ["1\t2\t3\ttorn", *whole[:100], "\t4\t5", *whole[100:], "what\tever\t0"]
    task = load_task("glue/qqp", write(tmp_path, "glue/qqp", *rows))
    assert (set(task.train.first), task.train.labels) == ({"why?"}, [float(n % 2) for n in range(298)])
    file = tmp_path / "QQP" / "train.tsv"
    assert f"{file}: 3 of 301 rows end early and are left out" in task.notes, "what is left out is said"
    rows.insert(7, "one more")
    assert "4 of 302 rows end early" in refusal(write(tmp_path, "glue/qqp", *rows), "glue/qqp")


def test_a_file_that_is_almost_all_torn_is_refused(tmp_path: Path) -> None:
    whole = [line("glue/qqp", "why?", "why not?", str(n % 2)) for n in range(6)]
    message = refusal(write(tmp_path, "glue/qqp", *["1\t2\ttorn"] * 600, *whole), "glue/qqp")
    assert "600 of 606 rows end early" in message


@pytest.mark.parametrize("name", ["glue/cola", "glue/rte"])
def test_old_line_ends_are_named_and_the_file_is_not_printed(tmp_path: Path, name: str) -> None:
    full(tmp_path, name)
    path = tmp_path / GLUE_TASKS[name].folder / "train.tsv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r") * 500)
    message = refusal(tmp_path, name)
    assert "carriage returns alone" in message
    assert len(message) < 400


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named(tmp_path: Path, encoding: str) -> None:
    rows = [line("glue/rte", "a", "b", label) for label in labels_of("glue/rte")]
    assert "UTF-16" in refusal(write(tmp_path, "glue/rte", *rows, encoding=encoding))


def test_a_nul_byte_is_refused_with_its_line(tmp_path: Path) -> None:
    rows = [line("glue/rte", text, "b", label) for text, label in zip(("a", "a\0"), labels_of("glue/rte"), strict=True)]
    assert "train.tsv, line 3: a NUL byte" in refusal(write(tmp_path, "glue/rte", *rows))


def test_a_header_in_quotes_or_without_end_is_refused_in_few_words(tmp_path: Path) -> None:
    quoted = "\t".join(f'"{column}"' for column in HEADERS["glue/rte"])
    assert "write the file without quotes" in refusal(write(tmp_path, "glue/rte", quoted, header=False))
    assert len(refusal(write(tmp_path, "glue/rte", "x" * 10**6, header=False))) < 500


def test_a_long_label_is_not_printed_whole(tmp_path: Path) -> None:
    assert len(refusal(write(tmp_path, "glue/rte", line("glue/rte", "a", "b", "x" * 10**6)))) < 500


def test_a_cola_sentence_with_a_tab_is_not_cut(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, "glue/cola", "gj04\t1\t\tTitle\tThey drank.", "gj04\t0\t*\tb"), "glue/cola")
    assert "train.tsv, line 1: 5 columns, but this task has 4" in message


@pytest.mark.parametrize("name", GLUE_TASKS)
@pytest.mark.parametrize(("split", "word"), [("train", "training"), ("evaluation", "evaluation")])
def test_a_set_of_one_label_is_refused(tmp_path: Path, name: str, split: str, word: str) -> None:
    full(tmp_path, name)
    second = None if GLUE_TASKS[name].columns[1] is None else "other"
    write(tmp_path, name, *[line(name, "text", second, labels_of(name)[0])] * 3, split=split)
    assert f"the {word} set has one label only" in refusal(tmp_path, name)


def test_a_variant_that_samples_one_label_is_noted(tmp_path: Path) -> None:
    task = load_task("glue/rte:examples=1", full(tmp_path, "glue/rte"))
    assert ["one label only" in note for note in task.notes] == [True]


@pytest.mark.parametrize("blank", ["", " ", "\u3000"])
def test_blank_texts_are_noted_and_many_refused(tmp_path: Path, blank: str) -> None:
    rows = [line("glue/rte", "a", "b", labels_of("glue/rte")[n % 2]) for n in range(300)]
    few = [line("glue/rte", "a", blank, "entailment")] * 3
    task = load_task("glue/rte", write(tmp_path, "glue/rte", *rows, *few))
    assert "3 of 303 rows of the training set have a blank text" in task.notes[0]
    assert "6 of 306 rows" in refusal(write(tmp_path, "glue/rte", *rows, *few, *few))


@pytest.mark.parametrize(
    "text", ['He said "no', '"', "'quoted'", '""twice""', "a\\tb", "a\u2028b\x85c\x0bd", " é ", "NA"]
)
def test_texts_are_kept_literally(tmp_path: Path, text: str) -> None:
    rows = [line("glue/rte", text, text, "entailment"), line("glue/rte", "next", "next", "not_entailment")]
    train = load_task("glue/rte", write(tmp_path, "glue/rte", *rows)).train
    assert (train.first, train.second) == ([text, "next"], [text, "next"])


def test_line_ends_of_windows_and_a_missing_last_one_change_nothing(tmp_path: Path) -> None:
    expected = load_task("glue/rte", full(tmp_path, "glue/rte")).digest
    for path in (tmp_path / "RTE").iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n").removesuffix(b"\r\n"))
    assert load_task("glue/rte", tmp_path).digest == expected


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert f"{tmp_path / 'none'}: no such folder" in refusal(tmp_path / "none")
    (tmp_path / "file").touch()
    assert f"{tmp_path / 'file'}: no such folder" in refusal(tmp_path / "file")


def test_a_missing_file_is_refused_and_the_layout_explained(tmp_path: Path) -> None:
    write(tmp_path, "glue/mnli", line("glue/mnli", "a", "b", "neutral"), split="train")
    message = refusal(tmp_path, "glue/mnli")
    assert f"no file {tmp_path / 'MNLI' / 'dev_matched.tsv'}" in message
    assert "MNLI/train.tsv and MNLI/dev_matched.tsv" in message


def test_a_missing_column_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "glue/rte", "index\tsentence1\tpremise\tlabel", "0\ta\tb\tentailment", header=False)
    message = refusal(tmp_path)
    assert f"{tmp_path / 'RTE' / 'train.tsv'}: no column 'sentence2'; the header has index, sentence1" in message


@pytest.mark.parametrize(
    ("name", "bad", "complaint"),
    [
        ("glue/rte", line("glue/rte", "a", "b", "maybe"), "unknown label 'maybe'; known: entailment, not_entailment"),
        ("glue/rte", line("glue/rte", "a", "b", ""), "unknown label ''"),
        ("glue/rte", line("glue/rte", "a\tb", "c", "entailment"), "5 columns, but the header has 4"),
        ("glue/rte", "1\ttorn", "2 columns, but column 4 is needed"),
        ("glue/qqp", line("glue/qqp", "a", "b", "2"), "unknown label '2'"),
        ("glue/cola", "gj04\t1\t", "3 columns, but column 4 is needed"),
        ("glue/mnli", line("glue/mnli", "a", "b", "-"), "unknown label '-'"),
        *(
            ("glue/stsb", line("glue/stsb", "a", "b", x), f"the score '{x}' is not")
            for x in ("", "x", "nan", "inf", "1_0", "٣", "1e308", "1e400", "-1001")
        ),
    ],
)
@pytest.mark.parametrize("split", ["train", "evaluation"])
def test_a_bad_row_is_refused_with_its_file_and_line(
    tmp_path: Path, name: str, bad: str, complaint: str, split: str
) -> None:
    spec = GLUE_TASKS[name]
    full(tmp_path, name)
    good = line(name, "a", None if spec.columns[1] is None else "b", labels_of(name)[0])
    write(tmp_path, name, good, "", good, bad, good, split=split)
    file = tmp_path / spec.folder / ("train.tsv" if split == "train" else f"{spec.evaluation[0]}.tsv")
    # A header, a row, an empty line and a row come before it.
    assert f"{file}, line {4 + spec.header}: {complaint}" in refusal(tmp_path, name)


def test_a_row_with_too_many_columns_is_refused(tmp_path: Path) -> None:
    row = line("glue/mrpc", "a", "first half\tsecond half", "1")
    assert "train.tsv, line 2: 6 columns" in refusal(write(tmp_path, "glue/mrpc", row), "glue/mrpc")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("row", range(1, 5))
def test_bad_encoding_is_refused_with_its_line(tmp_path: Path, row: int, mark: bytes) -> None:
    path = full(tmp_path, "glue/mrpc") / "MRPC" / "dev.tsv"
    lines = ["\t".join(HEADERS["glue/mrpc"]).encode(), *[b"1\t2\t3\tcaf\xc3\xa9\tb"] * 4]
    lines[row] = lines[row].replace(b"\xc3\xa9", b"\xe9")
    path.write_bytes(mark + b"\r\n".join(lines))
    assert f"{path}, line {row + 1}: not UTF-8" in refusal(tmp_path, "glue/mrpc")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = full(tmp_path, "glue/rte") / "RTE" / "dev.tsv"
    path.write_bytes(content)
    assert f"{path}: the file is empty" in refusal(tmp_path)


def test_a_file_with_no_rows_is_refused(tmp_path: Path) -> None:
    assert f"{tmp_path / 'RTE' / 'train.tsv'}: no rows" in refusal(write(tmp_path, "glue/rte"))
    torn = write(tmp_path, "glue/qqp", "1\t2\t3\ttorn")
    assert f"{tmp_path / 'QQP' / 'train.tsv'}: no rows" in refusal(torn, "glue/qqp")


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = full(tmp_path, "glue/rte") / "RTE" / "train.tsv"
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read every file")
    assert str(path) in refusal(tmp_path)


def test_a_name_that_no_folder_can_have_is_refused(tmp_path: Path) -> None:
    assert "File name too long" in refusal(tmp_path / ("long" * 100))


@pytest.mark.parametrize("file", ["my.txt", "./mine/TASK.yaml", "rows.xlsx", "/data/rows.csv.gz"])
def test_a_data_file_in_the_place_of_a_task_is_told_what_layout_can_be_read(tmp_path: Path, file: str) -> None:
    """And data written by that message alone are read."""
    with pytest.raises(TaskError, match="names a file, and none that can be read as a task") as caught:
        load_task(file)
    layouts = re.findall(
        r"--task (\S+) takes (\S+) and (\S+), .*? header (.*?) and the labels (\S+) and ([^\s;]+)", str(caught.value)
    )
    assert [len(header.split()) for _, _, _, header, _, _ in layouts] == [2, 3], "one text, and two"
    for task, train, evaluation, header, *labels in layouts:
        columns = header.split()
        rows = ["\t".join([*columns[:-1], label]) for label in labels]
        for path in (tmp_path / train, tmp_path / evaluation):
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join(["\t".join(columns), *rows]))
        assert load_task(task, tmp_path).train.labels == [0.0, 1.0]
