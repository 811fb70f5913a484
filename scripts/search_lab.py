r"""The search for a second lab checkpoint (docs/lab.md): a trial checkpoint, and two tasks with denial to try it on.

    python scripts/search_lab.py --out trial
    stabbench compare devlin:lr=6.4e-4 bias-correction:lr=6.4e-4 --seeds 4 --model trial \
        --plugin scripts/search_lab.py --task search/entailment

and likewise search/paraphrase. The rate is the papers' 2e-5 times 32, the lab's multiplier for its width: a folder's
model has none. The first command takes two minutes of a core, prints each loss, and at the end how much of each
task the frozen checkpoint solves.

It goes on from the lab's checkpoint with masked words and with facts of sentence pairs (:data:`FACTS`): yes-or-no
questions, each read from the pooled output by a linear head of its own. No task asks for one of them: search/entailment
asks for an exclusive-or of two, which sentence says more and whether they deny. But the top blocks and the tanh of the
pooler make that linearly readable, too. So they are not kept: the trial checkpoint is the lower blocks, with an
orthogonal matrix as its pooler, and fine-tuning has to build what it needs above the facts.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import torch
from torch.nn import functional
from transformers import BertForPreTraining, BertTokenizer, get_linear_schedule_with_warmup

import stabbench
from stabbench.models.source import find_model
from stabbench.tasks.lab.language import (
    DENIAL,
    Clause,
    Dice,
    change_one_slot,
    change_slot,
    draw_clause,
    entailed,
    filled_slots,
    realise,
    reverse_roles,
    weaken,
)
from stabbench.tasks.lab.tasks import EVALUATION_SIZE, TRAIN_SIZE

# In search/entailment: the share of denied pairs, and of negatives that are an entailment reversed (in the others one
# slot is changed). Which sentence says more tells some of the label, whether they are denied nothing: both tell it.
ENTAILMENT_DENIED = 0.35
REVERSED = 0.85

# In search/paraphrase: the share of denied first sentences, and of negatives where one sentence denies what the other
# says (in the others one slot is changed). Whether one sentence is denied tells little: whether just one is, tells it.
PARAPHRASE_DENIED = 0.4
OPPOSITE = 0.7

# The weight of each fact's loss, where that of the masked words is 1.
FACT_WEIGHT = 0.6
MASKED = 0.25
POOLER_GAIN = 0.5


@stabbench.task("search/entailment")
def entailment() -> stabbench.Task:
    """Does the second sentence follow from the first? The classes and the metric are those of lab/entailment."""
    return _task("search/entailment", "accuracy", ("entailment", "not_entailment"), entailment_clauses, "01", 1 / 2)


@stabbench.task("search/paraphrase")
def paraphrase() -> stabbench.Task:
    """Do both sentences mean the same? Two thirds do, as in lab/paraphrase."""
    return _task("search/paraphrase", "f1", ("0", "1"), paraphrase_clauses, "10", 2 / 3)


def entailment_clauses(dice: Dice, positive: bool) -> tuple[Clause, Clause]:
    """A premise, and what follows from it (but not the reverse), or does not."""
    premise, hypothesis = entailed(dice, ENTAILMENT_DENIED)
    if not positive and dice.chance(REVERSED):
        return hypothesis, premise
    if not positive and premise.denied:
        return change_one_slot(premise, dice), hypothesis  # it says less: a slot that the hypothesis has filled, too
    return premise, hypothesis if positive else change_one_slot(hypothesis, dice)


def paraphrase_clauses(dice: Dice, positive: bool) -> tuple[Clause, Clause]:
    """The same clause twice, or two that differ in the denial or in one slot."""
    clause = replace(draw_clause(dice), denied=dice.chance(PARAPHRASE_DENIED))
    if positive:
        return clause, clause
    return clause, replace(clause, denied=not clause.denied) if dice.chance(OPPOSITE) else change_one_slot(clause, dice)


def _task(
    name: str,
    metric: str,
    classes: tuple[str, str],
    clauses: Callable[[Dice, bool], tuple[Clause, Clause]],
    numbers: str,
    positive_share: float,
) -> stabbench.Task:
    """Both splits drawn from their own dice; ``numbers`` are the classes of a positive and of a negative example."""

    def split(which: str, size: int) -> stabbench.Examples:
        dice = Dice(name, which)
        positives = round(size * positive_share)
        labels = dice.shuffled([i < positives for i in range(size)])
        pairs = [[realise(clause, dice) for clause in clauses(dice, positive)] for positive in labels]
        first, second = zip(*pairs, strict=True)
        return stabbench.Examples(first, second, [int(numbers[not positive]) for positive in labels])

    return stabbench.Task(name, metric, classes, split("train", TRAIN_SIZE), split("evaluation", EVALUATION_SIZE))


@dataclass(frozen=True)
class Facts:
    """What is true of a pair: 1 yes, 0 no, 0.5 neither.

    Attributes:
        same: Both are about the same: no slot has been changed; one may say less, roles may be reversed.
        more: The first has more modifiers than the second.
        denied: The first is denied.
        voice: Both are active, or both passive.
        noun: The same noun comes first in both.
    """

    same: float
    more: float
    denied: float
    voice: float
    noun: float


FACTS = [field.name for field in fields(Facts)]


def draw_pair(dice: Dice, changes: int) -> tuple[str, str, Facts]:
    """A pair with its facts, which are drawn apart from each other; one pair in ten differs in the denial."""
    clause = draw_clause(dice)
    other = weaken(clause, dice) if dice.chance(0.75) else clause
    denied, same = dice.chance(0.4), dice.chance(0.5)
    if not same and dice.chance(0.4):
        other = draw_clause(dice)
    elif not same:
        for slot in dice.shuffled(filled_slots(other))[:changes]:
            other = change_slot(other, slot, dice)
    if dice.chance(0.4):
        other = reverse_roles(other)
    clause, other = replace(clause, denied=denied), replace(other, denied=denied ^ dice.chance(0.1))
    first, second = dice.shuffled([clause, other])
    active = dice.chance(0.5), dice.chance(0.5)
    surplus = _modifiers(first) - _modifiers(second)
    facts = Facts(
        same=float(same),
        more=0.5 if surplus == 0 else float(surplus > 0),
        denied=float(first.denied),
        voice=float(active[0] == active[1]),
        noun=float(_first_noun(first, active=active[0]) == _first_noun(second, active=active[1])),
    )
    return realise(first, dice, active[0]), realise(second, dice, active[1]), facts


def _modifiers(clause: Clause) -> int:
    return sum(slot in ("subject adjective", "object adjective", "adjunct") for slot in filled_slots(clause))


def _first_noun(clause: Clause, *, active: bool) -> int:
    return clause.subject.noun if active else clause.object.noun


def start() -> tuple[BertForPreTraining, BertTokenizer]:
    """The lab's checkpoint with one word more, for denial: its weights are drawn anew, all others are there."""
    folder = find_model("lab").folder
    vocab = BertTokenizer.from_pretrained(folder).get_vocab()
    vocab[DENIAL] = len(vocab)
    model = BertForPreTraining.from_pretrained(folder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    model.resize_token_embeddings(len(vocab), mean_resizing=False)
    return model.train(), BertTokenizer(vocab=vocab, model_max_length=model.config.max_position_embeddings)


def pretrain(steps: int, batch: int, lr: float, seed: int) -> tuple[BertForPreTraining, BertTokenizer]:
    """Masked words and facts; prints the means of the losses every hundred steps."""
    from pretrain_lab import CHANGES, SPECIAL, mask_words  # beside this file: a script sees it, a plugin does not

    torch.manual_seed(seed)
    model, tokenizer = start()
    heads = torch.nn.Linear(model.config.hidden_size, len(FACTS))
    parameters = [*model.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = get_linear_schedule_with_warmup(optimizer, steps // 10, steps)
    dice, losses, started = Dice("search", seed), [], time.perf_counter()
    for step in range(1, steps + 1):
        first, second, facts = zip(*(draw_pair(dice, CHANGES) for _ in range(batch)), strict=True)
        inputs = tokenizer(list(first), list(second), padding=True, return_tensors="pt")
        special = inputs["input_ids"] < len(SPECIAL)
        inputs["input_ids"], words = mask_words(
            inputs["input_ids"], special, MASKED, len(tokenizer), tokenizer.mask_token_id
        )
        out = model.bert(**inputs)
        chosen = words >= 0
        guesses = model.cls.predictions(out.last_hidden_state[chosen])
        answers = torch.tensor([astuple(f) for f in facts])
        each = functional.binary_cross_entropy_with_logits(heads(out.pooler_output), answers, reduction="none").mean(0)
        masked = functional.cross_entropy(guesses, words[chosen])
        optimizer.zero_grad()
        (masked + FACT_WEIGHT * each.sum()).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        losses.append(torch.cat([masked.detach()[None], each.detach()]))
        if step % 100 == 0 or step == steps:
            means = torch.stack(losses).mean(0).tolist()
            if not math.isfinite(sum(means)):
                sys.exit(f"search_lab.py: the loss is not finite at step {step}: try a smaller --lr than {lr}")
            shown = "  ".join(f"{name} {mean:.3f}" for name, mean in zip(["words", *FACTS], means, strict=True))
            print(f"step {step}  {shown}  {time.perf_counter() - started:.0f} s", flush=True)
            losses.clear()
    return model, tokenizer


def cut(model: BertForPreTraining, blocks: int) -> None:
    """Keep the lower blocks, with a new pooler."""
    model.bert.encoder.layer = model.bert.encoder.layer[:blocks]
    model.config.num_hidden_layers = blocks
    torch.nn.init.orthogonal_(model.bert.pooler.dense.weight, POOLER_GAIN)
    torch.nn.init.zeros_(model.bert.pooler.dense.bias)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, pretrain, cut, save, probe."""
    from probe_lab import frozen_score

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the folder of the trial checkpoint")
    parser.add_argument("--keep", type=int, default=10, help="how many of the 12 blocks it has")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1, help="of the pretraining")
    parser.add_argument("--cut-seed", type=int, default=0, help="of the new pooler")
    args = parser.parse_args(arguments)
    if not 1 <= args.keep <= 12:
        parser.error(f"--keep {args.keep} is not between 1 and 12")
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out: {error}")
    model, tokenizer = pretrain(args.steps, args.batch, args.lr, args.seed)
    torch.manual_seed(args.cut_seed)
    cut(model, args.keep)
    # Fine-tuning uses BERT's usual dropout; pretraining a model this small is better without.
    model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = 0.1
    model.save_pretrained(args.out)
    tokenizer.save_pretrained(args.out)
    for task in (entailment(), paraphrase()):
        score = frozen_score(task, str(args.out))
        print(f"{task.name}: frozen probe {task.metric} {score:.3f}, best constant {task.constant_score:.3f}")


if __name__ == "__main__":
    main()
