"""Where each model family keeps its parts, and its default hyperparameters: said once, here.

The defaults are Table 3 of Mosbach et al. 2021. A family that is not listed runs with BERT's defaults, and only the
recipes that need no structure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Defaults:
    """The hyperparameters that depend on the model family and not on the recipe.

    ``dropout`` None leaves the checkpoint's own value; ``max_grad_norm`` 0 switches global clipping off.
    """

    beta2: float = 0.999
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    dropout: float | None = None


@dataclass(frozen=True)
class Family:
    """Prefixes of parameter names, each relative to the sequence-classification model.

    Attributes:
        embeddings: Everything below the first block.
        block: A pattern whose group is the block's number, counted from the bottom.
        pooler: What stands between the encoder and the head and was, or could have been, pretrained.
        head: The classifier that every fine-tuning starts anew.
    """

    embeddings: tuple[str, ...]
    block: str
    pooler: tuple[str, ...]
    head: tuple[str, ...]
    defaults: Defaults = Defaults()

    def part(self, name: str) -> str:
        """The part that the parameter ``name`` belongs to, as in :class:`stabbench.models.layout.ParameterInfo`."""
        if found := re.match(self.block, name):
            return f"block {int(found.group(1))}"
        for part, prefixes in (("embeddings", self.embeddings), ("pooler", self.pooler), ("head", self.head)):
            if any(name.startswith(prefix + ".") for prefix in prefixes):
                return part
        return "other"


FAMILIES: Mapping[str, Family] = {
    "bert": Family(("bert.embeddings",), r"bert\.encoder\.layer\.(\d+)\.", ("bert.pooler",), ("classifier",)),
    "roberta": Family(
        ("roberta.embeddings",),
        r"roberta\.encoder\.layer\.(\d+)\.",
        (),
        ("classifier",),
        Defaults(beta2=0.98, weight_decay=0.1, max_grad_norm=0.0),
    ),
    "albert": Family(
        ("albert.embeddings", "albert.encoder.embedding_hidden_mapping_in"),
        # The layers share their parameters: one block, whose repeated use is one component each.
        r"albert\.encoder\.albert_layer_groups\.(\d+)\.",
        ("albert.pooler",),
        ("classifier",),
        Defaults(weight_decay=0.0, dropout=0.0),
    ),
    "electra": Family(
        ("electra.embeddings", "electra.embeddings_project"),
        r"electra\.encoder\.layer\.(\d+)\.",
        (),
        ("classifier",),
    ),
    "distilbert": Family(
        ("distilbert.embeddings",),
        r"distilbert\.transformer\.layer\.(\d+)\.",
        ("pre_classifier",),
        ("classifier",),
    ),
}


def defaults_of(family: str) -> Defaults:
    """The family's default hyperparameters; BERT's where the family is unknown."""
    return FAMILIES[family].defaults if family in FAMILIES else Defaults()
