"""A small generated language: sentences with agreement, synonyms, an active and a passive voice, and a denial.

A sentence *means* a :class:`Clause` (who does what to whom, how each looks, where or when; or that this never
happens), and says it in one of many surface forms (:func:`realise`). Two sentences with the same clause are
paraphrases, and one with a slot changed (:func:`change_one_slot`) says something else. A sentence that drops a modifier
is entailed; where it is denied, the other way round: *dogs never chase cats* entails *big dogs never chase cats*, and
not the reverse (:func:`entailed`). The lab's tasks deny nothing; scripts/search_lab.py has tasks that do.

Everything is drawn with :class:`Dice`, which uses only ``random.Random.random()``: the one method whose sequence Python
promises to keep between versions. The tasks' data are part of every run's identity, so they must not drift.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

T = TypeVar("T")

# (singular, plural)
NOUNS: tuple[tuple[str, str], ...] = (
    ("cat", "cats"), ("dog", "dogs"), ("bird", "birds"), ("horse", "horses"), ("farmer", "farmers"),
    ("doctor", "doctors"), ("teacher", "teachers"), ("student", "students"), ("singer", "singers"),
    ("baker", "bakers"), ("pilot", "pilots"), ("robot", "robots"), ("king", "kings"), ("nurse", "nurses"),
    ("judge", "judges"), ("sailor", "sailors"),
)  # fmt: skip

# One tuple a meaning, one (third person, base, participle) a synonym.
VERBS: tuple[tuple[tuple[str, str, str], ...], ...] = (
    (("sees", "see", "seen"), ("spots", "spot", "spotted")),
    (("helps", "help", "helped"), ("aids", "aid", "aided")),
    (("chases", "chase", "chased"), ("hunts", "hunt", "hunted")),
    (("likes", "like", "liked"), ("loves", "love", "loved")),
    (("calls", "call", "called"), ("phones", "phone", "phoned")),
    (("pushes", "push", "pushed"), ("shoves", "shove", "shoved")),
)

# One tuple a meaning, one entry a synonym.
ADJECTIVES: tuple[tuple[str, ...], ...] = (
    ("big", "large"), ("small", "little"), ("happy", "glad"), ("angry", "mad"), ("fast", "quick"),
    ("old", "aged"), ("brave", "bold"), ("calm", "quiet"),
)  # fmt: skip

# Where or when: one adjunct a sentence at most.
ADJUNCTS: tuple[str, ...] = (
    "in town", "at school", "near home", "on deck", "in court", "at sea", "today", "often", "daily", "tonight",
)  # fmt: skip

# Denies a clause; it stands before an active verb and before a passive participle.
DENIAL = "never"


class Dice:
    """Random choices that are the same on every Python version."""

    def __init__(self, *seed: object) -> None:
        # A string seed goes through SHA-512 inside Random, so it does not depend on PYTHONHASHSEED.
        self._uniform = random.Random("/".join(map(str, seed))).random

    def chance(self, p: float) -> bool:
        """True with probability ``p``."""
        return self._uniform() < p

    def below(self, n: int) -> int:
        """An integer from 0 to n - 1."""
        return int(self._uniform() * n)

    def choice(self, items: Sequence[T]) -> T:
        """One of ``items``."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Fisher-Yates."""
        out = list(items)
        for i in range(len(out) - 1, 0, -1):
            j = self.below(i + 1)
            out[i], out[j] = out[j], out[i]
        return out


@dataclass(frozen=True)
class Actor:
    """A noun with its number and perhaps an adjective; indices into the lexicon."""

    noun: int
    plural: bool
    adjective: int | None


@dataclass(frozen=True)
class Clause:
    """What a sentence means: ``subject`` does ``verb`` to ``object``, perhaps somewhere or some time; or never does."""

    subject: Actor
    verb: int
    object: Actor
    adjunct: int | None
    denied: bool = False


def draw_clause(dice: Dice) -> Clause:
    """A random clause, not denied; subject and object are never the same noun."""
    first = dice.below(len(NOUNS))
    second = (first + 1 + dice.below(len(NOUNS) - 1)) % len(NOUNS)
    adjunct = dice.below(len(ADJUNCTS)) if dice.chance(0.6) else None
    return Clause(_draw_actor(dice, first), dice.below(len(VERBS)), _draw_actor(dice, second), adjunct)


def _draw_actor(dice: Dice, noun: int) -> Actor:
    return Actor(noun, dice.chance(0.5), dice.below(len(ADJECTIVES)) if dice.chance(0.6) else None)


def realise(clause: Clause, dice: Dice, active: bool | None = None) -> str:
    """One surface form of a clause: synonyms are free, and the voice unless it is given; agreement is not."""
    form = dice.choice(VERBS[clause.verb])
    denial = [DENIAL] if clause.denied else []
    if dice.chance(0.5) if active is None else active:
        third_person, base, _ = form
        words = [
            *_noun_phrase(clause.subject, dice),
            *denial,
            base if clause.subject.plural else third_person,
            *_noun_phrase(clause.object, dice),
        ]
    else:
        auxiliary = "are" if clause.object.plural else "is"
        words = [
            *_noun_phrase(clause.object, dice),
            auxiliary,
            *denial,
            form[2],
            "by",
            *_noun_phrase(clause.subject, dice),
        ]
    if clause.adjunct is not None:
        words.append(ADJUNCTS[clause.adjunct])
    return " ".join(words)


def _noun_phrase(actor: Actor, dice: Dice) -> list[str]:
    adjective = [] if actor.adjective is None else [dice.choice(ADJECTIVES[actor.adjective])]
    return [*adjective, NOUNS[actor.noun][actor.plural]]


def weaken(clause: Clause, dice: Dice) -> Clause:
    """Drop some modifiers, each with probability one half: what is left says less, or the same."""

    def fewer(actor: Actor) -> Actor:
        return replace(actor, adjective=None) if dice.chance(0.5) else actor

    return replace(
        clause,
        subject=fewer(clause.subject),
        object=fewer(clause.object),
        adjunct=None if dice.chance(0.5) else clause.adjunct,
    )


def entailed(dice: Dice, denied: float) -> tuple[Clause, Clause]:
    """A premise and a hypothesis that follows from it, while the reverse does not; both denied with that probability.

    The hypothesis says less. Where both are denied it says more: denial turns entailment round.
    """
    fuller = draw_clause(dice)
    while (weaker := weaken(fuller, dice)) == fuller:
        fuller = draw_clause(dice)
    if dice.chance(denied):
        return replace(weaker, denied=True), replace(fuller, denied=True)
    return fuller, weaker


def reverse_roles(clause: Clause) -> Clause:
    """Who did it has it done to them."""
    return replace(clause, subject=clause.object, object=clause.subject)


def filled_slots(clause: Clause) -> list[str]:
    """The slots of a clause that hold something: two nouns and a verb always, adjectives and the adjunct perhaps."""
    slots = ["subject", "object", "verb"]
    if clause.subject.adjective is not None:
        slots.append("subject adjective")
    if clause.object.adjective is not None:
        slots.append("object adjective")
    if clause.adjunct is not None:
        slots.append("adjunct")
    return slots


def change_slot(clause: Clause, slot: str, dice: Dice) -> Clause:
    """Replace what one filled slot holds by another of its kind; the two nouns stay different from each other."""
    if slot == "verb":
        return replace(clause, verb=_another(clause.verb, len(VERBS), dice))
    if slot == "adjunct":
        return replace(clause, adjunct=_another(clause.adjunct, len(ADJUNCTS), dice))
    role, _, part = slot.partition(" ")
    actor: Actor = getattr(clause, role)
    if part == "adjective":
        actor = replace(actor, adjective=_another(actor.adjective, len(ADJECTIVES), dice))
    else:
        taken = {clause.subject.noun, clause.object.noun}
        actor = replace(actor, noun=dice.choice([n for n in range(len(NOUNS)) if n not in taken]))
    return replace(clause, subject=actor) if role == "subject" else replace(clause, object=actor)


def change_one_slot(clause: Clause, dice: Dice) -> Clause:
    """Change one filled slot, each equally likely: what is left does not follow from ``clause`` any more."""
    return change_slot(clause, dice.choice(filled_slots(clause)), dice)


def _another(current: int | None, count: int, dice: Dice) -> int:
    assert current is not None, "only a filled slot can be changed"
    return (current + 1 + dice.below(count - 1)) % count


def vocabulary() -> list[str]:
    """Every word of the language, sorted, but for :data:`DENIAL`: the checkpoint does not know it."""
    words = {word for noun in NOUNS for word in noun}
    words |= {word for verb in VERBS for form in verb for word in form}
    words |= {word for adjective in ADJECTIVES for word in adjective}
    words |= {word for adjunct in ADJUNCTS for word in adjunct.split()}
    return sorted(words | {"is", "are", "by"})


def corrupt(sentence: str, dice: Dice) -> str:
    """Make a sentence ungrammatical in one of three ways: wrong agreement, two words swapped, or no verb."""
    words = sentence.split()
    verb = next(i for i, word in enumerate(words) if word in _FLIPPED)
    way = dice.below(3)
    if way == 0:
        words[verb] = _FLIPPED[words[verb]]
    elif way == 1:
        # Before the verb stand a noun and perhaps its adjective; swapping any two neighbours up to the verb is wrong.
        i = dice.below(verb)
        words[i], words[i + 1] = words[i + 1], words[i]
    else:
        del words[verb]
    return " ".join(words)


# The other number of every finite verb.
_FLIPPED = {"is": "are", "are": "is"}
_FLIPPED.update({third: base for verb in VERBS for third, base, _ in verb})
_FLIPPED.update({base: third for verb in VERBS for third, base, _ in verb})
