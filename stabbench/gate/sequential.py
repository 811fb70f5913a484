"""The loop of a group-sequential gate: train a wave of seeds, judge, and stop where a cell is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set

from stabbench.gate.judge import Judgement, Pair, judge
from stabbench.gate.rules import Rules, Verdict


def judge_looks(
    pairs_at: Callable[[int, Set[str]], Mapping[str, Pair]],
    looks: int,
    rules: Rules,
    *,
    family_cells: int | None = None,
) -> dict[str, Judgement]:
    """Judge at every look; a cell that passed or failed keeps its judgement, and its tests stay in the family.

    Args:
        pairs_at: Gives the pairs to judge at a look (from 0), by name, those that are decided included. It is told the
            names of the decided ones, which need no further runs.
        looks: The number of looks; 1 for a gate that is not sequential.
        rules: The rules of the verdicts.
        family_cells: As for :func:`stabbench.gate.judge.judge`.
    """
    judged: dict[str, Judgement] = {}
    decided: set[str] = set()
    for number in range(looks):
        pairs = pairs_at(number, decided)
        found = judge(pairs, rules, family_cells=family_cells) if pairs else {}
        judged |= {name: judgement for name, judgement in found.items() if name not in decided}
        decided = {name for name, judgement in judged.items() if judgement.verdict in (Verdict.PASS, Verdict.FAIL)}
    return judged
