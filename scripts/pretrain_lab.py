"""Pretrain the lab checkpoint: masked words and a sentence-pair objective on the lab language.

    python scripts/pretrain_lab.py --out stabbench/tasks/lab/checkpoint

About ten minutes on one core for the default size. The pair objective is BERT's next-sentence prediction with the lab's
notion of "next": both sentences are about the same. Running it again gives an equivalent model, not the same bytes.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

import torch
from transformers import BertConfig, BertForPreTraining, BertTokenizer, get_linear_schedule_with_warmup

from stabbench.tasks.lab.language import Dice, change_slot, draw_clause, filled_slots, realise, vocabulary, weaken

# How many slots differ between the nearest pairs that are not about the same; in lab/entailment it is one.
CHANGES = 2
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def draw_pair(dice: Dice) -> tuple[str, str, int]:
    """A pair and its label: 0 where both sentences are about the same (BERT's "is next"), else 1.

    Which of the two says more is left to chance, and the nearest pairs of label 1 differ in CHANGES slots: what
    entailment and paraphrase ask for beyond that must be learnt in fine-tuning.
    """
    clause = draw_clause(dice)
    other = weaken(clause, dice) if dice.chance(0.5) else clause
    label = int(dice.chance(0.5))
    if label:
        if dice.chance(0.5):
            other = draw_clause(dice)
        else:
            for slot in dice.shuffled(filled_slots(other))[:CHANGES]:
                other = change_slot(other, slot, dice)
    pair = [realise(clause, dice), realise(other, dice)]
    first, second = dice.shuffled(pair)
    return first, second, label


def mask_words(
    ids: torch.Tensor, special: torch.Tensor, rate: float, vocab_size: int, mask_id: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """BERT's masking: of the chosen words 80% become [MASK], 10% a random word, 10% stay."""
    chosen = (torch.rand(ids.shape) < rate) & ~special
    labels = ids.masked_fill(~chosen, -100)
    fate = torch.rand(ids.shape)
    ids = ids.masked_fill(chosen & (fate < 0.8), mask_id)
    random_words = torch.randint(len(SPECIAL), vocab_size, ids.shape)
    return torch.where(chosen & (fate >= 0.8) & (fate < 0.9), random_words, ids), labels


def main() -> None:
    """Read the command line, pretrain, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--mask", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    if args.hidden % args.heads:
        parser.error(f"--hidden {args.hidden} is no multiple of --heads {args.heads}")
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out: {error}")

    torch.manual_seed(args.seed)
    vocab = {word: i for i, word in enumerate([*SPECIAL, *vocabulary()])}
    tokenizer = BertTokenizer(vocab=vocab, model_max_length=32)
    config = BertConfig(
        vocab_size=len(vocab),
        hidden_size=args.hidden,
        num_hidden_layers=args.layers,
        num_attention_heads=args.heads,
        intermediate_size=4 * args.hidden,
        max_position_embeddings=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = BertForPreTraining(config).to(args.device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = get_linear_schedule_with_warmup(optimizer, args.steps // 10, args.steps)

    dice = Dice("pretraining", args.seed)
    started = time.perf_counter()
    sums = torch.zeros(2, device=args.device)
    for step in range(1, args.steps + 1):
        first, second, related = zip(*(draw_pair(dice) for _ in range(args.batch)), strict=True)
        batch = tokenizer(list(first), list(second), padding=True, return_tensors="pt")
        special = batch["input_ids"] < len(SPECIAL)
        ids, labels = mask_words(batch["input_ids"], special, args.mask, len(vocab), vocab["[MASK]"])
        out = model(
            input_ids=ids.to(args.device),
            attention_mask=batch["attention_mask"].to(args.device),
            token_type_ids=batch["token_type_ids"].to(args.device),
        )
        mlm = torch.nn.functional.cross_entropy(
            out.prediction_logits.flatten(0, 1), labels.flatten().to(args.device), ignore_index=-100
        )
        pair = torch.nn.functional.cross_entropy(out.seq_relationship_logits, torch.tensor(related).to(args.device))
        optimizer.zero_grad()
        (mlm + pair).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        sums += torch.stack([mlm.detach(), pair.detach()])
        if step % 500 == 0:
            mean_mlm, mean_pair = (sums / 500).tolist()
            if not math.isfinite(mean_mlm + mean_pair):
                sys.exit(f"pretrain_lab.py: the loss is not finite at step {step}: try a smaller --lr than {args.lr}")
            seconds = time.perf_counter() - started
            print(f"step {step}  mlm {mean_mlm:.3f}  pair {mean_pair:.3f}  {seconds:.0f} s", flush=True)
            sums.zero_()

    # Fine-tuning uses BERT's usual dropout; pretraining a model this small is better without.
    model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = 0.1
    model.save_pretrained(args.out)
    tokenizer.save_pretrained(args.out)


if __name__ == "__main__":
    main()
