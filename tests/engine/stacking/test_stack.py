"""The stack against separate `transformers` models, in float64, and what refuses to be stacked."""

import copy

import pytest
import torch
from tiny_models import real_tokens, tiny_batch, tiny_model
from torch import nn
from transformers import BertConfig

from stabbench.engine.stacking import stackable
from stabbench.engine.stacking.models import OneSeedModel, StackedModel
from stabbench.engine.stacking.stack import StackedEmbedding, StackedLinear, StackError, stack_leaves_
from stabbench.engine.stacking.stackable import why_not_stackable
from stabbench.models.families import FAMILIES
from stabbench.models.loading import describe

SEEDS, BATCH, LENGTH = 3, 4, 9
# Why a family of stabbench.models cannot be stacked; the others can.
REASONS = {
    "xlnet": "parameter transformer.mask_emb belongs to a XLNetModel",
    "bart": "parameter model.shared.weight belongs to a BartScaledWordEmbedding",
    "deberta": "parameter deberta.encoder.layer.0.attention.self.q_bias belongs to a DisentangledSelfAttention",
    "deberta-v2": "parameter deberta.encoder.conv.conv.weight belongs to a Conv1d",
    "mpnet": "an embedding is looked up with 11 rows of ids, not one or the batch's",
    "opt": "parameter model.decoder.embed_positions.weight belongs to a OPTLearnedPositionalEmbedding",
    "gemma": "parameter model.embed_tokens.weight belongs to a GemmaTextScaledWordEmbedding",
    "gemma2": "parameter model.embed_tokens.weight belongs to a Gemma2TextScaledWordEmbedding",
    "gemma3_text": "parameter model.embed_tokens.weight belongs to a Gemma3TextScaledWordEmbedding",
}
STACKED = [family for family in FAMILIES if family not in REASONS]


def batch(rows: int = SEEDS * BATCH) -> dict[str, torch.Tensor]:
    return tiny_batch(rows, LENGTH)


@pytest.mark.parametrize("family", STACKED)
def test_a_stack_equals_separate_models_in_float64(family: str) -> None:
    """Logits, gradients and, after a step, weights."""
    model = tiny_model(family).double().eval()
    stack = StackedModel(model, SEEDS)
    stack.train(False)
    with torch.no_grad():
        for parameter in stack.parameters.values():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    inputs = batch()
    optimizer = torch.optim.SGD(stack.parameters.values(), lr=0.1)
    together = stack.logits(inputs, {}, real_tokens(inputs, SEEDS))
    starts = {name: p.detach().clone() for name, p in stack.parameters.items()}
    together.square().mean((1, 2)).sum().backward()
    optimizer.step()
    for seed in range(SEEDS):
        alone = copy.deepcopy(model)
        parameters = dict(alone.named_parameters())
        with torch.no_grad():
            for key, values in starts.items():
                parameters[key].copy_(values[seed])
        part = {key: values[seed * BATCH : (seed + 1) * BATCH] for key, values in inputs.items()}
        logits = alone(**part).logits
        torch.testing.assert_close(together[seed], logits, rtol=1e-11, atol=1e-13)
        logits.square().mean().backward()
        torch.optim.SGD(alone.parameters(), lr=0.1).step()
        for key, values in stack.parameters.items():
            torch.testing.assert_close(values[seed], parameters[key], rtol=1e-10, atol=1e-12, msg=key)


@pytest.mark.parametrize("family", STACKED)
def test_in_float32_a_seeds_numbers_do_not_depend_on_the_others(family: str) -> None:
    model, inputs = tiny_model(family).eval(), batch()
    stack, single = StackedModel(model, SEEDS), StackedModel(model, 1)
    part = {key: values[BATCH : 2 * BATCH] for key, values in inputs.items()}
    logits = []
    for made, tokens, seeds in ((stack, inputs, SEEDS), (single, part, 1)):
        made.train(False)
        logits.append(made.logits(tokens, {}, real_tokens(tokens, seeds)))
        logits[-1].square().sum().backward()
    assert torch.equal(logits[0][1], logits[1][0])
    for name, parameter in single.parameters.items():
        if parameter.grad is not None:
            assert torch.equal(stack.parameters[name].grad[1], parameter.grad[0]), name


@pytest.mark.parametrize(("outputs", "rows"), [(1, 16), (32, 1), (1, 1), (2, 16)])
def test_a_single_output_or_a_single_row_rounds_as_in_a_stack(outputs: int, rows: int) -> None:
    """A regression's head, and a last batch of one example: other kernels would take them when there is one seed."""
    torch.manual_seed(0)
    many = StackedLinear(nn.Linear(32, outputs), SEEDS)
    with torch.no_grad():
        many.weight.normal_()
    given = torch.randn(SEEDS * rows, 32, requires_grad=True)
    together = many(given)
    together.square().sum().backward()
    for seed in range(SEEDS):
        one = StackedLinear(nn.Linear(32, outputs), 1)
        with torch.no_grad():
            one.weight.copy_(many.weight[seed : seed + 1])
            one.bias.copy_(many.bias[seed : seed + 1])
        part = given.detach()[seed * rows : (seed + 1) * rows].requires_grad_()
        alone = one(part)
        alone.square().sum().backward()
        assert torch.equal(alone, together[seed * rows : (seed + 1) * rows])
        for single, stacked in ((one.weight, many.weight), (one.bias, many.bias)):
            assert torch.equal(single.grad[0], stacked.grad[seed])
        assert torch.equal(part.grad, given.grad[seed * rows : (seed + 1) * rows])


@pytest.mark.parametrize("family", FAMILIES)
def test_the_check_knows_which_families_stack_and_why_the_others_do_not(family: str) -> None:
    assert why_not_stackable(tiny_model(family)) == REASONS.get(family, "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"relative_attention": False, "conv_kernel_size": 0}, ""),
        ({"conv_kernel_size": 0}, "it fails on a merged batch: RuntimeError: "),
    ],
)
def test_a_variant_of_a_family_may_stack_where_another_does_not(changes: dict[str, object], reason: str) -> None:
    assert why_not_stackable(tiny_model("deberta-v2", **changes)).startswith(reason)
    assert bool(why_not_stackable(tiny_model("deberta-v2", **changes))) == bool(reason)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_reduced_copy_of_every_family_is_small_and_runs(family: str) -> None:
    counts = dict.fromkeys(FAMILIES[family].depth, 6) if family != "albert" else {"num_hidden_layers": 6}
    # RoBERTa's first position comes after its padding token's number.
    positions = {"max_position_embeddings": 500} if family in ("roberta", "xlm-roberta", "camembert") else {}
    model = tiny_model(family, vocab_size=400, pad_token_id=399, **counts, **positions)
    reduced = stackable._reduced(model)
    assert (reduced.config.vocab_size, reduced.dtype) == (100, torch.float64)
    assert describe(reduced).depth == {"albert": 1, "bart": 4}.get(family, 2)
    assert {p.kind for p in describe(reduced).parameters} == {p.kind for p in describe(model).parameters}
    inputs = stackable._inputs(reduced, 6)
    assert reduced.eval()(**inputs).logits.isfinite().all()


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_a_model_whose_configuration_cannot_be_reduced_is_tried_as_it_is(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stackable, "_reductions", lambda config: {"vocab_size": None})
    assert why_not_stackable(tiny_model(family)) == ""


def test_the_check_leaves_the_global_random_state_alone() -> None:
    model = tiny_model("bert")
    before = torch.get_rng_state()
    why_not_stackable(model)
    assert torch.equal(torch.get_rng_state(), before)


class WrongDropout(nn.Module):
    """Draws from the global generator, as a hand-written dropout may."""

    p = 0.1

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input * torch.empty_like(input).bernoulli_(0.5) if self.training else input


def test_dropout_that_bypasses_the_seeds_streams_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.bert import modeling_bert

    monkeypatch.setattr(modeling_bert.nn, "Dropout", lambda *_: WrongDropout())
    assert "dropout" in why_not_stackable(tiny_model("bert"))


@pytest.mark.parametrize("rate", [0.1, 0.0])
def test_a_function_is_found_where_dropout_is_left_to_modules(rate: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an encoder without padding, whose attention has dropout of its own, nobody watches PyTorch's function.

    Nor is it enough that the checkpoint has no dropout: a recipe may set it.
    """
    from transformers.models.bert import modeling_bert

    pooled = modeling_bert.BertPooler.forward

    def forward(self: modeling_bert.BertPooler, hidden_states: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(pooled(self, hidden_states), self.rate, self.training)

    made = modeling_bert.BertPooler.__init__

    def init(self: modeling_bert.BertPooler, config: BertConfig) -> None:
        made(self, config)
        self.rate = config.hidden_dropout_prob

    monkeypatch.setattr(modeling_bert.BertPooler, "__init__", init)
    monkeypatch.setattr(modeling_bert.BertPooler, "forward", forward)
    assert "dropout" in why_not_stackable(tiny_model("bert", hidden_dropout_prob=rate))


@pytest.mark.parametrize("family", REASONS)
def test_one_seed_of_a_model_that_cannot_be_stacked_equals_the_model_itself(family: str) -> None:
    model = tiny_model(family).double().eval()
    single = OneSeedModel(model)
    single.train(False)
    logits = single.logits(batch(BATCH), {}, real_tokens(batch(BATCH), 1))
    expected = model(**batch(BATCH)).logits
    torch.testing.assert_close(logits[0], expected)
    logits.sum().backward()
    expected.sum().backward()
    reached = 0
    for name, parameter in model.named_parameters():
        gradient = single.parameters[name].grad
        if parameter.grad is not None:
            assert gradient is not None, name
            torch.testing.assert_close(gradient[0], parameter.grad)
            reached += 1
    assert reached > 10


@pytest.mark.parametrize("kind", [StackedModel, OneSeedModel])
def test_replaced_linear_weights_are_used_in_this_pass_only(kind: type[StackedModel | OneSeedModel]) -> None:
    model = tiny_model("bert").eval()
    made = StackedModel(model, 1) if kind is StackedModel else OneSeedModel(model)
    made.train(False)
    inputs, real = batch(BATCH), real_tokens(batch(BATCH), 1)
    plain = made.logits(inputs, {}, real)
    zeros = {name: torch.zeros_like(made.parameters[name]) for name in made.linear_weights}
    assert "classifier.weight" in made.linear_weights
    torch.testing.assert_close(
        made.logits(inputs, zeros, real), made.parameters["classifier.bias"].expand_as(plain[0])[None]
    )
    assert torch.equal(made.logits(inputs, {}, real), plain)


@pytest.mark.parametrize("kind", [StackedModel, OneSeedModel])
def test_gpt2s_transposed_weights_can_be_replaced_too(kind: type[StackedModel | OneSeedModel]) -> None:
    model = tiny_model("gpt2").eval()
    made = StackedModel(model, 1) if kind is StackedModel else OneSeedModel(model)
    made.train(False)
    name = "transformer.h.2.mlp.c_fc.weight"
    doubled = made.logits(batch(BATCH), {name: made.parameters[name] * 2}, real_tokens(batch(BATCH), 1))
    with torch.no_grad():
        model.get_parameter(name).mul_(2)
    torch.testing.assert_close(doubled[0], model(**batch(BATCH)).logits)


def test_the_padding_row_gets_no_gradient_in_any_seed() -> None:
    stacked = StackedEmbedding(nn.Embedding(5, 3, padding_idx=0), 2)
    stacked.merged_rows = 4
    stacked(torch.tensor([[0, 1], [2, 0], [0, 3], [4, 0]])).sum().backward()
    assert stacked.weight.grad is not None
    assert (stacked.weight.grad[:, 0] == 0).all()
    assert (stacked.weight.grad[0, 1] == 1).all()


def test_a_parameter_outside_the_known_leaves_is_refused() -> None:
    with pytest.raises(StackError, match=r"conv\.weight belongs to a Conv1d"):
        stack_leaves_(nn.ModuleDict({"conv": nn.Conv1d(1, 1, 1)}), 2)


def test_a_parameter_shared_between_two_leaves_is_refused() -> None:
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    with pytest.raises(StackError, match="shared"):
        stack_leaves_(nn.Sequential(first, second), 2)


def test_a_module_that_stands_in_two_places_stays_one() -> None:
    shared = nn.Linear(3, 3)
    model = nn.Sequential(shared, nn.GELU(), shared)
    stack_leaves_(model, 2)
    assert model[0] is model[2]
