"""Supervised fine-tuning of a small causal language model with TRL: python sft.py SEED RATE STEPS FOLDER.

The model is a GPT-2 of two blocks that starts from random weights, so that nothing is fetched; put the folder or hub id
of yours into from_pretrained. The score is the evaluation loss.
"""

import sys
from pathlib import Path

from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, set_seed
from trl import SFTConfig, SFTTrainer

from stabbench.integrations.transformers import StabilityCallback  # stabbench

HERE = Path(__file__).parent
TOKENIZER = HERE.parent / "stabbench" / "tasks" / "lab" / "checkpoint"


def main(seed: int, rate: float, steps: int, folder: str) -> None:
    """Train, evaluate, and save the metrics."""
    set_seed(seed)  # before the model is made
    files = {part: str(HERE / "pairs" / f"{part}.csv") for part in ("train", "dev")}
    data = load_dataset("csv", data_files=files).map(
        lambda row: {"text": row["sentence1"]}, remove_columns=["sentence1", "sentence2", "label"]
    )
    tokenizer = AutoTokenizer.from_pretrained(TOKENIZER, eos_token="[SEP]", bos_token="[CLS]")
    config = GPT2Config(
        vocab_size=len(tokenizer), n_layer=2, n_head=2, n_embd=32, n_positions=64,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_config(config),
        args=SFTConfig(
            output_dir=folder, seed=seed, learning_rate=rate, max_steps=steps, per_device_train_batch_size=16,
            max_length=32, logging_steps=1, save_strategy="no", report_to="none", disable_tqdm=True,
            gradient_checkpointing=False, bf16=False,
        ),
        train_dataset=data["train"],
        eval_dataset=data["dev"],
        processing_class=tokenizer,
    )  # fmt: skip
    trainer.add_callback(StabilityCallback(trainer))  # stabbench
    trainer.train()
    trainer.save_metrics("eval", trainer.evaluate())


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
