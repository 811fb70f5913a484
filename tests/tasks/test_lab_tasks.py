"""The lab's language and tasks: what a label says must be true of the sentences."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stabbench.tasks.lab.language import (
    ADJECTIVES,
    ADJUNCTS,
    DENIAL,
    NOUNS,
    VERBS,
    Actor,
    Clause,
    Dice,
    change_slot,
    corrupt,
    draw_clause,
    entailed,
    filled_slots,
    realise,
    vocabulary,
    weaken,
)
from stabbench.tasks.lab.tasks import LAB_TASKS
from stabbench.tasks.registry import load_task

seeds = st.integers(0, 10**9)


def understand(sentence: str) -> Clause:
    """Parse a sentence back into its meaning, written apart from the generator; fails on one not well formed."""
    words = sentence.split()
    denied = DENIAL in words
    if denied:
        where = words.index(DENIAL)
        del words[where]
        verbs = {form for synonyms in VERBS for forms in synonyms for form in forms}
        assert words[where] in verbs
        assert DENIAL not in words
    adjunct = next((a for a in ADJUNCTS if sentence.endswith(f" {a}")), None)
    if adjunct is not None:
        words = words[: -len(adjunct.split())]

    def phrase(part: list[str]) -> Actor:
        *adjectives, noun = part
        (number,) = [i for i, forms in enumerate(NOUNS) if noun in forms]
        assert len(adjectives) <= 1
        which = [i for i, synonyms in enumerate(ADJECTIVES) for a in adjectives if a in synonyms]
        assert len(which) == len(adjectives)
        return Actor(number, noun == NOUNS[number][1], which[0] if which else None)

    def meaning(word: str, form: int) -> int:
        (verb,) = [i for i, synonyms in enumerate(VERBS) for forms in synonyms if forms[form] == word]
        return verb

    if "by" in words:
        by = words.index("by")
        subject, object_ = phrase(words[by + 1 :]), phrase(words[: by - 2])
        verb = meaning(words[by - 1], 2)
        assert words[by - 2] == ("are" if object_.plural else "is")
    else:
        finite = {f for synonyms in VERBS for forms in synonyms for f in forms[:2]}
        (place,) = [i for i, word in enumerate(words) if word in finite]
        subject, object_ = phrase(words[:place]), phrase(words[place + 1 :])
        verb = meaning(words[place], 1 if subject.plural else 0)
    return Clause(subject, verb, object_, None if adjunct is None else ADJUNCTS.index(adjunct), denied)


def well_formed(sentence: str) -> bool:
    try:
        understand(sentence)
    except (AssertionError, ValueError, IndexError):
        return False
    return True


def follows(premise: Clause, hypothesis: Clause) -> bool:
    """Nothing in the hypothesis that is not in the premise; of two denials, the other way round."""
    if premise.denied != hypothesis.denied:
        return False
    if premise.denied:
        premise, hypothesis = replace(hypothesis, denied=False), replace(premise, denied=False)

    def says_less(more: Actor, less: Actor) -> bool:
        return (more.noun, more.plural) == (less.noun, less.plural) and less.adjective in (None, more.adjective)

    return (
        premise.verb == hypothesis.verb
        and says_less(premise.subject, hypothesis.subject)
        and says_less(premise.object, hypothesis.object)
        and hypothesis.adjunct in (None, premise.adjunct)
    )


def contradict(one: Clause, other: Clause) -> bool:
    """Something is said differently in both, not only left out of one."""

    def differ(a: Actor, b: Actor) -> bool:
        return (a.noun, a.plural) != (b.noun, b.plural) or (
            None not in (a.adjective, b.adjective) and a.adjective != b.adjective
        )

    return (
        one.verb != other.verb
        or differ(one.subject, other.subject)
        or differ(one.object, other.object)
        or (None not in (one.adjunct, other.adjunct) and one.adjunct != other.adjunct)
    )


@given(seeds, st.booleans())
def test_a_sentence_says_its_clause_in_every_form(seed: int, denied: bool) -> None:
    dice = Dice(seed)
    clause = replace(draw_clause(dice), denied=denied)
    for _ in range(5):
        assert understand(realise(clause, dice)) == clause


@given(seeds)
def test_the_voice_can_be_given(seed: int) -> None:
    dice = Dice(seed)
    assert ["by" in realise(draw_clause(dice), dice, active).split() for active in (True, False)] == [False, True]


@given(seeds)
def test_entailment_is_strict_and_denial_turns_it_round(seed: int) -> None:
    said, asked = entailed(Dice(seed), 0.0)
    assert follows(said, asked)
    assert not follows(asked, said)
    premise, hypothesis = entailed(Dice(seed), 1.0)
    assert (premise, hypothesis) == (replace(asked, denied=True), replace(said, denied=True))
    assert follows(premise, hypothesis)
    assert not follows(hypothesis, premise)


@given(seeds)
def test_what_is_weakened_follows_and_what_is_changed_does_not(seed: int) -> None:
    dice = Dice(seed)
    clause = draw_clause(dice)
    assert follows(clause, weaken(clause, dice))
    for slot in filled_slots(clause):
        changed = change_slot(clause, slot, dice)
        assert not follows(clause, changed)
        assert changed.subject.noun != changed.object.noun


@given(seeds)
def test_a_corrupted_sentence_is_not_well_formed(seed: int) -> None:
    dice = Dice(seed)
    sentence = realise(draw_clause(dice), dice)
    assert well_formed(sentence)
    assert not well_formed(corrupt(sentence, dice))


def test_the_labels_are_true() -> None:
    entailment = load_task("lab/entailment").train
    for premise, hypothesis, label in zip(entailment.first, entailment.second or (), entailment.labels, strict=True):
        assert follows(understand(premise), understand(hypothesis)) == (label == 0)
    paraphrase = load_task("lab/paraphrase").train
    for first, second, label in zip(paraphrase.first, paraphrase.second or (), paraphrase.labels, strict=True):
        assert (understand(first) == understand(second)) == (label == 1)
    acceptability = load_task("lab/acceptability").train
    for sentence, label in zip(acceptability.first, acceptability.labels, strict=True):
        assert well_formed(sentence) == (label == 1)
    inference = load_task("lab/inference").train
    for premise, hypothesis, label in zip(inference.first, inference.second or (), inference.labels, strict=True):
        said, asked = understand(premise), understand(hypothesis)
        expected = {0: (True, False), 1: (False, True), 2: (False, False)}[int(label)]
        assert (follows(said, asked), follows(asked, said)) == expected
        assert contradict(said, asked) == (label == 2)
    similarity = load_task("lab/similarity").train
    for first, second, score in zip(similarity.first, similarity.second or (), similarity.labels, strict=True):
        assert (understand(first) == understand(second)) == (score == 5)


def test_the_mirror_of_mnli_is_larger_and_its_three_classes_are_even() -> None:
    task = load_task("lab/inference")
    assert (task.outputs, len(task.train), len(task.evaluation)) == (3, 4000, 400)
    for examples in (task.train, task.evaluation):
        assert len(Counter(examples.labels)) == 3
        assert all(abs(times / len(examples) - 1 / 3) < 0.05 for times in Counter(examples.labels).values())
    assert task.constant_score == max(Counter(task.evaluation.labels).values()) / 400


@pytest.mark.parametrize(
    ("name", "positive", "constant"),
    [
        ("lab/entailment", 0.5, 0.5),
        ("lab/paraphrase", 2 / 3, 2 * (2 / 3) / (1 + 2 / 3)),
        ("lab/acceptability", 0.7, 0.0),
    ],
)
def test_sizes_balance_and_constant_score(name: str, positive: float, constant: float) -> None:
    task = load_task(name)
    assert (len(task.train), len(task.evaluation)) == (1000, 400)
    for examples in (task.train, task.evaluation):
        share = Counter(examples.labels)[1.0] / len(examples)
        assert share == pytest.approx(positive, abs=0.002)
    assert task.constant_score == pytest.approx(constant, abs=0.002)


def test_the_data_are_the_same_on_every_machine() -> None:
    """They are part of every run's identity: a change here is a change of the tasks."""
    assert {name: load_task(name).digest[:12] for name in LAB_TASKS} == {
        "lab/entailment": "0f93c3ba10b5",
        "lab/paraphrase": "f42d911553bd",
        "lab/acceptability": "8ceb32594d9e",
        "lab/similarity": "b3253d553c24",
        "lab/inference": "8410a556d6c4",
    }


def test_the_checkpoints_vocabulary_is_the_languages() -> None:
    from stabbench.models.loading import load_tokenizer
    from stabbench.models.source import find_model

    assert set(vocabulary()) <= set(load_tokenizer(find_model("lab")).get_vocab())
