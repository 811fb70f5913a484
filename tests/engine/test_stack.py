"""The stack against separate `transformers` models, in float64, and what refuses to be stacked."""

import copy
import importlib

import pytest
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from stabbench.engine.checks import why_not_stackable
from stabbench.engine.models import OneSeedModel, StackedModel
from stabbench.engine.stack import StackedEmbedding, StackError, stack_leaves_

SEEDS, BATCH, LENGTH = 3, 4, 9
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48, "vocab_size": 99}
CONFIGS = {
    "BertConfig": SMALL,
    "RobertaConfig": SMALL,
    "ElectraConfig": {**SMALL, "embedding_size": 16},
    "AlbertConfig": {**SMALL, "embedding_size": 16},
    "DistilBertConfig": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 48, "vocab_size": 99},
}


def tiny(name: str, **changes: object) -> PreTrainedModel:
    config = getattr(importlib.import_module("transformers"), name)(**{**CONFIGS.get(name, SMALL), **changes})
    torch.manual_seed(0)
    model: PreTrainedModel = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")
    return model


def batch(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(3, 99, (SEEDS * BATCH, LENGTH), generator=generator)
    ids[::3, -3:] = model.config.pad_token_id
    return {"input_ids": ids, "attention_mask": (ids != model.config.pad_token_id).long()}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_stack_equals_separate_models_in_float64(name: str) -> None:
    """Logits, gradients and, after a step, weights."""
    model = tiny(name).double().eval()
    stack = StackedModel(model, SEEDS)
    stack.train(False)
    with torch.no_grad():
        for parameter in stack.parameters.values():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    inputs = batch(model)
    optimizer = torch.optim.SGD(stack.parameters.values(), lr=0.1)
    together = stack.logits(inputs, {})
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


@pytest.mark.parametrize("name", [*CONFIGS, "DebertaV2Config"])
def test_the_check_lets_these_families_stack(name: str) -> None:
    assert why_not_stackable(tiny(name)) == ""


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("XLNetConfig", {"d_model": 32, "n_layer": 2, "n_head": 2, "d_inner": 48}, "mask_emb"),
        ("MPNetConfig", {}, "rows of ids"),
    ],
)
def test_the_check_refuses_what_would_be_wrong_and_says_why(name: str, changes: dict[str, int], reason: str) -> None:
    assert reason in why_not_stackable(tiny(name, **changes))


def test_the_check_leaves_the_global_random_state_alone() -> None:
    model = tiny("BertConfig")
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
    assert "dropout" in why_not_stackable(tiny("BertConfig"))


def test_one_seed_of_a_model_that_cannot_be_stacked_equals_the_model_itself() -> None:
    model = tiny("XLNetConfig", d_model=32, n_layer=2, n_head=2, d_inner=48).double().eval()
    single = OneSeedModel(model)
    single.train(False)
    inputs = {key: values[:BATCH] for key, values in batch(model).items()}
    logits = single.logits(inputs, {})
    torch.testing.assert_close(logits[0], model(**inputs).logits)
    logits.sum().backward()
    model(**inputs).logits.sum().backward()
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
    model = tiny("BertConfig").eval()
    made = StackedModel(model, 1) if kind is StackedModel else OneSeedModel(model)
    made.train(False)
    inputs = {key: values[:BATCH] for key, values in batch(model).items()}
    plain = made.logits(inputs, {})
    zeros = {name: torch.zeros_like(made.parameters[name]) for name in made.linear_weights}
    assert "classifier.weight" in made.linear_weights
    torch.testing.assert_close(made.logits(inputs, zeros), made.parameters["classifier.bias"].expand_as(plain[0])[None])
    assert torch.equal(made.logits(inputs, {}), plain)


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
