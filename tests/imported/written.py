"""One bank of runs in every format: what each tool would have written down.

The layouts are those of mlflow 3.17, trackio 0.43, transformers 5, lm-evaluation-harness 0.4 and of exports of W&B;
TensorBoard's files are written by its own package.
"""

from __future__ import annotations

import csv
import json
import math
import sqlite3
import struct
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

METRIC = "eval_accuracy"
#: A score by seed; NaN where training diverged, None where the run crashed.
Bank = Mapping[int, float | None]
IN_NAME = r"seed-(\d+)"


def csv_file(folder: Path, bank: Bank) -> Path:
    path = folder / "results"  # a format is told by its content
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["seed", METRIC, "outcome"])
        lines.writerows([seed, "" if s is None else s, "missing" if s is None else ""] for seed, s in bank.items())
    return path


def json_lines(folder: Path, bank: Bank) -> Path:
    rows = [{"seed": seed, METRIC: s, **({"outcome": "missing"} if s is None else {})} for seed, s in bank.items()]
    path = folder / "results"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def parquet_file(folder: Path, bank: Bank) -> Path:
    path = folder / "results"
    marks = ["missing" if s is None else None for s in bank.values()]
    parquet.write_table(pa.table({"seed": list(bank), METRIC: list(bank.values()), "outcome": marks}), path)
    return path


def trainer_folders(folder: Path, bank: Bank) -> Path:
    for seed, score in bank.items():
        run = folder / f"run-{seed}"
        checkpoint = run / "checkpoint-300"
        checkpoint.mkdir(parents=True)
        log = [{"epoch": 1.0, "eval_accuracy": 0.1, "eval_loss": 0.7, "eval_runtime": 1.5, "step": 300}]
        state = {"global_step": 300, "max_steps": 600, "log_history": log}
        (checkpoint / "trainer_state.json").write_text(json.dumps(state))
        (checkpoint / "training_args.bin").write_bytes(b"PK\x03\x04")
        (run / "training_args.bin").write_bytes(b"PK\x03\x04")
        (run / "README.md").write_text(f"---\nlicense: mit\n---\n\n### Training hyperparameters\n\n- seed: {seed}\n")
        if score is not None:
            results = {METRIC: score, "eval_loss": 0.5, "eval_runtime": 1.5, "epoch": 3.0, "train_loss": 0.3}
            (run / "all_results.json").write_text(json.dumps(results, indent=4))
            (run / "trainer_state.json").write_text(json.dumps({**state, "global_step": 600}))
    return folder


def wandb_runs(folder: Path, bank: Bank) -> Path:
    path = folder / "wandb_export.csv"
    with path.open("w", newline="") as file:
        lines = csv.writer(file, quoting=csv.QUOTE_ALL)
        lines.writerow(["Name", "State", "Notes", "User", "Tags", "Created", "Runtime", "Sweep", "lr", "seed", METRIC])
        for seed, s in bank.items():
            state, score = ("crashed", "") if s is None else ("finished", "NaN" if math.isnan(s) else s)
            lines.writerow([f"bold-sea-{seed}", state, "-", "ada", "", "2026-11-20", 120, "", 2e-5, seed, score])
    return path


def wandb_chart(folder: Path, bank: Bank) -> Path:
    """A chart does not say what crashed: such a run has no curve."""
    path = folder / "wandb_chart.csv"
    runs = {f"bert - seed-{seed} - {METRIC}": s for seed, s in bank.items() if s is not None}
    with path.open("w", newline="") as file:
        lines = csv.writer(file, quoting=csv.QUOTE_ALL)
        lines.writerow(["Step", *(name + end for name in runs for end in ("", "__MIN", "__MAX"))])
        lines.writerow([300, *([0.1] * 3 * len(runs))])
        lines.writerow([600, *(("NaN" if math.isnan(s) else s) for s in runs.values() for _ in range(3))])
        lines.writerow([601, *([""] * 3 * len(runs))])
    return path


def mlflow_database(folder: Path, bank: Bank) -> Path:
    path = folder / "mlflow.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            "CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, lifecycle_stage TEXT);"
            "CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, status TEXT, start_time BIGINT, end_time BIGINT,"
            " lifecycle_stage TEXT, experiment_id INTEGER);"
            "CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);"
            "CREATE TABLE latest_metrics (key TEXT, value FLOAT, timestamp BIGINT, step BIGINT, is_nan BOOLEAN,"
            " run_uuid TEXT);"
            "INSERT INTO experiments VALUES (1, 'bert', 'active');"
            "INSERT INTO runs VALUES ('gone', 'gone', 'FINISHED', 0, 1, 'deleted', 1);"
        )
        for seed, s in bank.items():
            status = "FAILED" if s is None else "FINISHED"
            db.execute(
                "INSERT INTO runs VALUES (?, ?, ?, 0, 1795752825599, 'active', 1)", (f"r{seed}", f"run-{seed}", status)
            )
            db.execute("INSERT INTO params VALUES ('seed', ?, ?)", (str(seed), f"r{seed}"))
            if s is not None:
                nan = math.isnan(s)
                values = (METRIC, 0.0 if nan else s, 600, nan, f"r{seed}")
                db.execute("INSERT INTO latest_metrics VALUES (?, ?, 0, ?, ?, ?)", values)
        db.commit()
    return path


def mlflow_folder(folder: Path, bank: Bank) -> Path:
    experiment = folder / "mlruns" / "241904294343125336"
    experiment.mkdir(parents=True)
    (experiment / "meta.yaml").write_text("artifact_location: file:///x\nexperiment_id: '24'\nname: bert\n")
    for seed, s in bank.items():
        run = experiment / f"{seed:032x}"
        (run / "metrics").mkdir(parents=True)
        (run / "params").mkdir()
        status = 4 if s is None else 3
        meta = (
            f"run_id: {run.name}\nrun_name: run-{seed}\nstatus: {status}\nlifecycle_stage: active\nend_time: 179575\n"
        )
        (run / "meta.yaml").write_text(meta)
        (run / "params" / "seed").write_text(str(seed))
        if s is not None:
            (run / "metrics" / METRIC).write_text(f"1795752826242 0.1 300\n1795752826244 {s} 600\n")
    return folder / "mlruns"


def trackio(folder: Path, bank: Bank) -> Path:
    """Nor does Trackio say what crashed."""
    path = folder / "bert.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            "CREATE TABLE metrics (id INTEGER PRIMARY KEY, run_id TEXT, timestamp TEXT, run_name TEXT, step INTEGER,"
            " metrics TEXT);"
            "CREATE TABLE configs (id INTEGER PRIMARY KEY, run_id TEXT, run_name TEXT, config TEXT, created_at TEXT);"
        )
        for seed, s in bank.items():
            if s is None:
                continue
            config = json.dumps({"seed": seed, "_Username": None}).encode()
            db.execute(
                "INSERT INTO configs (run_id, run_name, config) VALUES (?, ?, ?)", (f"i{seed}", "one-name", config)
            )
            for step, value in ((0, 0.1), (1, "NaN" if math.isnan(s) else s)):
                db.execute(
                    "INSERT INTO metrics (run_id, run_name, step, metrics) VALUES (?, ?, ?, ?)",
                    (f"i{seed}", "one-name", step, json.dumps({METRIC: value}).encode()),
                )
        db.commit()
    return path


def lm_eval(folder: Path, bank: Bank) -> Path:
    """Nor do results of lm-evaluation-harness; what crashed was not evaluated."""
    for seed, s in bank.items():
        if s is None:
            continue
        model = folder / f"out__seed-{seed}"
        model.mkdir(parents=True)
        content = {
            "results": {"rte": {"alias": "rte", METRIC: s, f"{METRIC}_stderr": 0.02}},
            "config": {"model": "hf", "model_args": f"pretrained=out/seed-{seed}", "random_seed": 0},
            "model_name": f"out/seed-{seed}",
        }
        (model / "results_2026-11-20T10-00-00.json").write_text(json.dumps(content))
    return folder


def tensorboard(folder: Path, bank: Bank) -> Path:
    from tensorboard.summary import Writer

    for seed, s in bank.items():
        if s is not None:
            writer = Writer(str(folder / f"seed-{seed}"))
            writer.add_scalar(METRIC, 0.1, step=300)
            writer.add_scalar(METRIC, s, step=600)
            writer.close()
    return folder


def wandb_local(folder: Path, bank: Bank) -> Path:
    """What ``wandb.init(mode="offline")`` leaves; a run that crashed has no end."""
    from wandb.proto.wandb_internal_pb2 import Record

    for seed, s in bank.items():
        records = [Record(), Record(), Record()]
        records[0].run.display_name = f"bold-sea-{seed}"
        records[0].run.config.update.add(key="seed", value_json=str(seed))
        records[1].history.item.add(nested_key=[METRIC], value_json="0.1")
        records[1].history.step.num = 300
        # Of a record that is longer than a block.
        records[2].summary.update.add(key="notes", value_json=json.dumps("x" * 50_000))
        if s is not None:
            records[2].summary.update.add(key=METRIC, value_json=json.dumps(s))
            records.append(Record())
            records[3].exit.exit_code = 0
        run = folder / "wandb" / f"offline-run-20261120_100000-r{seed}"
        run.mkdir(parents=True)
        (run / f"run-r{seed}.wandb").write_bytes(
            _leveldb(b":W&B\xe1\xbe\x00", [r.SerializeToString() for r in records])
        )
    return folder / "wandb"


def _leveldb(head: bytes, records: list[bytes]) -> bytes:
    """A log of LevelDB's kind: blocks of 32 KiB, and no frame over the end of one."""
    log = bytearray(head)
    for record in records:
        first = True
        while True:
            room = 32768 - len(log) % 32768
            if room < 7:
                log += bytes(room)
                room = 32768
            part, record = record[: room - 7], record[room - 7 :]
            kind = bytes([(1 if not record else 2) if first else (4 if not record else 3)])
            log += struct.pack("<IH", zlib.crc32(kind + part), len(part)) + kind + part
            first = False
            if not record:
                break
    return bytes(log)


#: Formats that are written by the packages of these names.
OF_PACKAGES: dict[str, tuple[str, Callable[[Path, Bank], Path]]] = {
    "TensorBoard events": ("tensorboard", tensorboard),
    "W&B's local runs": ("wandb", wandb_local),
}
WRITERS: dict[str, Callable[[Path, Bank], Path]] = {
    "a table": csv_file,
    "JSON lines": json_lines,
    "Parquet": parquet_file,
    "Trainer folders": trainer_folders,
    "a W&B runs table": wandb_runs,
    "a W&B chart": wandb_chart,
    "an MLflow database": mlflow_database,
    "MLflow's mlruns": mlflow_folder,
    "a Trackio project": trackio,
    "lm-evaluation-harness results": lm_eval,
}
#: Where the seed is not written as such.
SEED_FROM = dict.fromkeys(("a W&B chart", "lm-evaluation-harness results", "TensorBoard events"), IN_NAME)
#: Formats that do not know of crashed runs.
NOTHING_CRASHES = {"a W&B chart", "a Trackio project", "lm-evaluation-harness results", "TensorBoard events"}
