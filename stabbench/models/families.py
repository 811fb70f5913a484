"""Where each model family keeps its parts, and its default hyperparameters: said once, here.

A family that is not listed runs with BERT's defaults, and only the recipes that need no structure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stabbench.models.layout import Initial, Kind


@dataclass(frozen=True)
class Defaults:
    """The hyperparameters that depend on the model family and not on the recipe.

    The values here are BERT's. Mosbach et al. 2021, Table 3, has everything but ``lr_decay`` for BERT, RoBERTa and
    ALBERT. Zhang et al. 2021, Table 6, has the rates of ELECTRA (with its ``lr_decay``), XLNet (its value on RTE and
    CoLA) and BART. Families that neither studied have BERT's.

    Attributes:
        lr: Peak learning rate.
        beta2: Decay rate of Adam's second moment.
        weight_decay: Decoupled weight decay.
        max_grad_norm: Global clipping; 0 switches it off.
        dropout: None leaves the checkpoint's own value.
        lr_decay: Factor on the learning rate from one block to the next below, for recipes that decay it by layer.
    """

    lr: float = 2e-5
    beta2: float = 0.999
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    dropout: float | None = None
    lr_decay: float = 0.95


@dataclass(frozen=True)
class Family:
    """Prefixes of parameter names, each relative to the sequence-classification model.

    Attributes:
        embeddings: Everything below the first block, and what all blocks share.
        blocks: The stacks of blocks, in the order in which data flows; after each prefix comes a block's number.
        pooler: What stands between the top block and the head and was, or could have been, pretrained.
        head: The classifier that every fine-tuning starts anew.
        defaults: The family's hyperparameters.
        depth: Keys of the configuration whose sum is the number of blocks.
        initial: Patterns of the parameters that start otherwise than their kind does.
        encoder: The module around the blocks, where it takes and gives hidden states ``[batch, length, width]`` and
            every token attends to all others: in there, a stack leaves out the padding.
        pools_last: The head reads the last token that is not padding, so the model must know the padding token.
    """

    embeddings: tuple[str, ...]
    blocks: tuple[str, ...]
    pooler: tuple[str, ...]
    head: tuple[str, ...]
    defaults: Defaults = Defaults()
    depth: tuple[str, ...] = ("num_hidden_layers",)
    initial: tuple[tuple[str, Initial], ...] = ()
    encoder: str = ""
    pools_last: bool = False

    def parts(self, names: Iterable[str]) -> dict[str, str]:
        """The part of each of a model's parameters, as in :class:`stabbench.models.layout.ParameterInfo`."""
        parts = {name: self._outside_blocks(name) for name in names}
        below = 0
        for stack in self.blocks:
            number = re.compile(re.escape(stack) + r"\.(\d+)\.")
            found = {name: int(match.group(1)) for name in parts if (match := number.match(name))}
            parts |= {name: f"block {below + own}" for name, own in found.items()}
            below += max(found.values(), default=-1) + 1
        return parts

    def start(self, name: str, kind: Kind) -> Initial:
        """How the parameter ``name`` starts anew."""
        for pattern, initial in self.initial:
            if re.search(pattern, name):
                return initial
        return START[kind]

    def _outside_blocks(self, name: str) -> str:
        for part, prefixes in (("embeddings", self.embeddings), ("pooler", self.pooler), ("head", self.head)):
            if any(name.startswith(prefix + ".") or name == prefix for prefix in prefixes):
                return part
        return "other"


# How a parameter of each kind starts anew, where its family does not say otherwise.
START: Mapping[Kind, Initial] = {"weight": "normal", "bias": "zeros", "norm": "ones"}


def _decoder(
    layers: str,
    embeddings: tuple[str, ...],
    pooler: tuple[str, ...],
    *,
    depth: str = "num_hidden_layers",
    initial: tuple[tuple[str, Initial], ...] = (),
) -> Family:
    """A decoder. The final norm is a pooler here: pretrained, between the top block and the head.

    No paper that stabbench follows studied one: BERT's defaults.
    """
    return Family(embeddings, (layers,), pooler, ("score",), depth=(depth,), initial=initial, pools_last=True)


_BERT = Family(("bert.embeddings",), ("bert.encoder.layer",), ("bert.pooler",), ("classifier",), encoder="bert.encoder")
# The head has a dense layer of its own in place of a pooler; so it is with ELECTRA, BART and MPNet.
_ROBERTA = Family(
    ("roberta.embeddings",),
    ("roberta.encoder.layer",),
    (),
    ("classifier",),
    Defaults(beta2=0.98, weight_decay=0.1, max_grad_norm=0.0),
    encoder="roberta.encoder",
)
_DEBERTA = Family(
    # All blocks share the table of relative positions and its LayerNorm. The convolution of some v2 checkpoints runs
    # beside the lowest block, on what the embeddings give.
    ("deberta.embeddings", *(f"deberta.encoder.{own}" for own in ("rel_embeddings", "LayerNorm", "conv"))),
    ("deberta.encoder.layer",),
    ("pooler",),
    ("classifier",),
)
_LLAMA = _decoder("model.layers", ("model.embed_tokens",), ("model.norm",))
# Their RMSNorm multiplies by one plus its scale.
_GEMMA = _decoder("model.layers", ("model.embed_tokens",), ("model.norm",), initial=((r"norm\.weight$", "zeros"),))

FAMILIES: Mapping[str, Family] = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "albert": Family(
        ("albert.embeddings", "albert.encoder.embedding_hidden_mapping_in"),
        # The layers share their parameters: one block, whose repeated use is one component each.
        ("albert.encoder.albert_layer_groups",),
        ("albert.pooler",),
        ("classifier",),
        Defaults(weight_decay=0.0, dropout=0.0),
        depth=("num_hidden_groups",),
        encoder="albert.encoder",
    ),
    "electra": Family(
        ("electra.embeddings", "electra.embeddings_project"),
        ("electra.encoder.layer",),
        (),
        ("classifier",),
        Defaults(lr=5e-5, lr_decay=0.9),
        encoder="electra.encoder",
    ),
    "distilbert": Family(
        ("distilbert.embeddings",),
        ("distilbert.transformer.layer",),
        ("pre_classifier",),
        ("classifier",),
        depth=("n_layers",),
        encoder="distilbert.transformer",
    ),
    "xlnet": Family(
        # mask_emb stands in for the words to predict in pretraining; fine-tuning never reads it.
        ("transformer.word_embedding", "transformer.mask_emb"),
        ("transformer.layer",),
        ("sequence_summary",),
        ("logits_proj",),
        Defaults(lr=3e-5),
        depth=("n_layer",),
        # Biases by name and place in the attention, drawn like weights.
        initial=((r"\.r_[rsw]_bias$", "normal"),),
    ),
    "bart": Family(
        # The decoder's own embeddings too, although they enter above the encoder: they are the bottom of their stack.
        ("model.shared", *(f"model.{s}.{own}" for s in ("encoder", "decoder") for own in
                           ("embed_tokens", "embed_positions", "layernorm_embedding"))),
        ("model.encoder.layers", "model.decoder.layers"),
        (),
        ("classification_head",),
        depth=("encoder_layers", "decoder_layers"),
    ),
    "deberta": _DEBERTA,
    "deberta-v2": _DEBERTA,
    "mpnet": Family(
        # All blocks share the table of relative positions.
        ("mpnet.embeddings", "mpnet.encoder.relative_attention_bias"),
        ("mpnet.encoder.layer",),
        (),
        ("classifier",),
    ),
    "modernbert": Family(
        ("model.embeddings",),
        ("model.layers",),
        # What it calls its head is the pretrained transformation below the masked-language decoder.
        ("model.final_norm", "head"),
        ("classifier",),
    ),
    "gpt2": _decoder("transformer.h", ("transformer.wte", "transformer.wpe"), ("transformer.ln_f",), depth="n_layer"),
    "gpt_neox": _decoder("gpt_neox.layers", ("gpt_neox.embed_in",), ("gpt_neox.final_layer_norm",)),
    "opt": _decoder(
        "model.decoder.layers",
        tuple(f"model.decoder.{own}" for own in ("embed_tokens", "embed_positions", "project_in")),
        ("model.decoder.final_layer_norm", "model.decoder.project_out"),
    ),
    "phi": _decoder("model.layers", ("model.embed_tokens",), ("model.final_layernorm",)),
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3", "phi3", "smollm3", "olmo2"), _LLAMA),
    **dict.fromkeys(("gemma", "gemma2", "gemma3_text"), _GEMMA),
}  # fmt: skip

# Families whose blocks are of transformers' Conv1D, which keeps a weight as [in, out].
_CONV1D = frozenset({"gpt2", "openai-gpt"})

# Keys of configurations that older files leave out.
_DEFAULT_COUNTS = {"num_hidden_groups": 1}


def defaults_of(family: str) -> Defaults:
    """The family's default hyperparameters; BERT's where the family is unknown."""
    return FAMILIES[family].defaults if family in FAMILIES else Defaults()


def separates_pairs(family: str) -> bool:
    """Whether a text is put between the two of a pair where the model's tokenizer puts nothing.

    Tokenizers of encoders have a token for it. Those of decoders have none or have one that is part of no pair.
    """
    return family not in FAMILIES or FAMILIES[family].pools_last


def keeps_inputs_first(family: str) -> bool:
    """Whether the weights of its blocks are ``[in, out]``, as ``Conv1D`` keeps them."""
    return family in _CONV1D


def depth_of(family: str, config: Mapping[str, object]) -> int | None:
    """The number of blocks that own parameters, from the content of config.json; None where that does not say."""
    if family not in FAMILIES:
        return None
    counts = [config.get(key, _DEFAULT_COUNTS.get(key)) for key in FAMILIES[family].depth]
    whole = [count for count in counts if isinstance(count, int)]
    return sum(whole) if len(whole) == len(counts) else None
