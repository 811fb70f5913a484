"""Fine-tune a classifier of pairs of texts with the Trainer of transformers, in the manner of its run_glue.py.

    python run_pairs.py --model_name_or_path MODEL --train_file train.csv --validation_file dev.csv --output_dir out

Of stabbench it has the two lines that are marked; without them only the score is measured.
"""

from dataclasses import dataclass, field

import numpy as np
from datasets import load_dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    HfArgumentParser,
    Trainer,
    TrainingArguments,
    set_seed,
)

from stabbench.integrations.transformers import StabilityCallback  # stabbench


@dataclass
class Arguments:
    """What is trained on what."""

    model_name_or_path: str = field()
    train_file: str = field()
    validation_file: str = field()


def main() -> None:
    """Train, evaluate, and save the metrics."""
    arguments, training = HfArgumentParser((Arguments, TrainingArguments)).parse_args_into_dataclasses()
    set_seed(training.seed)  # before the model is made: its head is drawn from this seed

    files = {"train": arguments.train_file, "validation": arguments.validation_file}
    data = load_dataset("csv", data_files=files)
    names = sorted(set(data["train"]["label"]))
    tokenizer = AutoTokenizer.from_pretrained(arguments.model_name_or_path)
    model = AutoModelForSequenceClassification.from_pretrained(arguments.model_name_or_path, num_labels=len(names))

    def prepared(rows: dict) -> dict:
        made = tokenizer(rows["sentence1"], rows["sentence2"], truncation=True)
        return {**made, "labels": [names.index(label) for label in rows["label"]]}

    data = data.map(prepared, batched=True, remove_columns=["sentence1", "sentence2", "label"])
    trainer = Trainer(
        model=model,
        args=training,
        train_dataset=data["train"],
        eval_dataset=data["validation"],
        compute_metrics=lambda p: {"accuracy": float(np.mean(p.predictions.argmax(-1) == p.label_ids))},
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    trainer.add_callback(StabilityCallback(trainer))  # stabbench
    trainer.train()
    trainer.save_metrics("eval", trainer.evaluate())


if __name__ == "__main__":
    main()
