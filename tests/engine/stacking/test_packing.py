"""What becomes of the padding: nothing, and nobody's numbers notice."""

import contextlib
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_training import CPU, fit, resolved, weights
from numpy.typing import NDArray
from tiny_models import real_tokens, tiny_batch, tiny_model
from torch import nn
from transformers import PreTrainedModel

from stabbench.engine.inputs import Inputs
from stabbench.engine.stacking import packing
from stabbench.engine.stacking.attention import packed_attention
from stabbench.engine.stacking.context import current, forward_pass
from stabbench.engine.stacking.models import StackedModel
from stabbench.engine.stacking.packing import EqualShares, Packing
from stabbench.engine.stacking.stack import StackedLayerNorm, StackedLinear, StackedNorm, StackError
from stabbench.engine.stacking.stackable import why_not_stackable
from stabbench.engine.stacking.streams import SeedStreams
from stabbench.models.families import FAMILIES
from stabbench.records.seeds import Seeds

ENCODERS = [name for name, family in FAMILIES.items() if family.encoder]
SEEDS, BATCH, LENGTH = 3, 4, 9
# So few that shares are multiples of eight rows: of several sizes among three seeds of width 16.
FEW_VALUES = 1


def mask(*lengths: list[int], length: int = LENGTH) -> NDArray[np.bool_]:
    """Each seed's examples of such lengths, padded on the right."""
    return np.arange(length) < np.array(lengths)[..., None]


@pytest.fixture
def uneven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "VALUES", FEW_VALUES)


@pytest.fixture
def even(uneven: None, packed_as_on_a_gpu: None) -> None:
    """Of the size of the largest, all the same."""


def batch(seeds: int = SEEDS) -> tuple[dict[str, torch.Tensor], NDArray[np.bool_]]:
    """Examples of many lengths, each seed's of its own, so that no two shares need have the same size."""
    inputs = tiny_batch(seeds * BATCH, LENGTH)
    for row in range(seeds * BATCH):
        inputs["input_ids"][row, 2 + row * 7 // (seeds * BATCH) :] = 0
    inputs["attention_mask"] = (inputs["input_ids"] != 0).long()
    return inputs, real_tokens(inputs, seeds)


@contextlib.contextmanager
def inside(made: Packing) -> Iterator[None]:
    """As in an encoder whose hidden states are packed so."""
    with forward_pass(packing=made):
        yield


def with_dropout(
    model: PreTrainedModel, some: slice, precision: Literal["fp32", "bf16"] = "fp32"
) -> tuple[torch.Tensor, dict[str, nn.Parameter]]:
    """Logits of some of the seeds in training, and the parameters behind them."""
    inputs, real = batch()
    seeds = [Seeds.of(number) for number in range(SEEDS)][some]
    stack = StackedModel(model, len(seeds))
    stack.precision = precision
    stack.train(True)
    rows = slice(some.start * BATCH, some.stop * BATCH)
    streams = SeedStreams(seeds, "dropout", CPU)
    logits = stack.logits({key: values[rows] for key, values in inputs.items()}, {}, real[some], streams)
    return logits, stack.parameters


def test_shares_are_the_tokens_rounded_up_and_neighbours_of_one_size_are_one_run(uneven: None) -> None:
    made = Packing(mask([9, 2], [3, 1], [2, 2], [9, 9]), 16, CPU, even=False)
    assert made.sizes == made.own_sizes == [16, 8, 8, 24]
    assert made.runs == [
        EqualShares(slice(0, 1), slice(0, 16), 16),
        EqualShares(slice(1, 3), slice(16, 32), 8),
        EqualShares(slice(3, 4), slice(32, 56), 24),
    ]


def test_even_shares_are_as_large_as_the_largest_and_one_run(uneven: None) -> None:
    made = Packing(mask([9, 2], [3, 1], [9, 9]), 16, CPU, even=True)
    assert (made.sizes, made.own_sizes) == ([64, 64, 64], [16, 8, 24])
    assert made.runs == [EqualShares(slice(0, 3), slice(0, 192), 64)]


@pytest.mark.parametrize("even", [False, True])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_tokens_go_in_and_out_unchanged_with_their_gradients(even: bool, data: st.DataObject) -> None:
    """For any mask: holes, padding on the left, examples without a token."""
    seeds, examples, length = (data.draw(st.integers(1, 4)) for _ in range(3))
    bits = data.draw(st.lists(st.booleans(), min_size=seeds * examples * length, max_size=seeds * examples * length))
    made = Packing(np.array(bits).reshape(seeds, examples, length), 1024, CPU, even)
    real = torch.from_numpy(made.real).flatten()
    given_ = torch.arange(1.0, real.numel() + 1).unsqueeze(1).requires_grad_()
    packed = made.tokens(given_)
    assert len(packed) == sum(made.sizes)
    for share, size in zip(packed.split(made.sizes), real.view(seeds, -1).sum(1), strict=True):
        # Each seed's own tokens in their order, then copies of the first of them.
        assert (share[size:] == share[0]).all()
        assert share[: int(size)].diff(dim=0).gt(0).all()
    back = made.tokens.back()(packed)
    assert torch.equal(back[real], given_[real])
    # A padded position has a copy of a token of its own example.
    assert torch.equal((back.flatten() - 1).long() // length, torch.arange(real.numel()) // length)
    (back * torch.arange(1.0, real.numel() + 1).unsqueeze(1)).sum().backward()
    assert given_.grad is not None
    assert torch.equal(given_.grad[real], given_.detach()[real])
    assert (given_.grad[~real] == 0).all()


def test_even_shares_attend_in_one_room_as_long_as_the_data() -> None:
    made = Packing(mask([9, 2], [3, 1], length=21), 16, CPU, even=True)
    _, (room,) = made.attention(heads=2)
    assert (room.seeds, room.length) == ([0, 1], 21)


def test_examples_attend_in_rooms_of_their_seeds_longest(uneven: None) -> None:
    made = Packing(mask([9, 2], [3, 1], [20, 7], [8, 8], length=21), 16, CPU, even=False)
    move, rooms = made.attention(heads=2)
    assert [(room.seeds, room.length) for room in rooms] == [([1, 3], 8), ([0], 16), ([2], 21)]
    assert [room.bias.shape for room in rooms] == [(8, 1, 8), (4, 1, 16), (4, 1, 21)]
    assert rooms[0].bias[:, 0].tolist() == [
        [0.0] * tokens + [-np.inf] * (8 - tokens) for tokens in (3, 3, 1, 1, 8, 8, 8, 8)
    ]
    assert made.attention(2)[0] is move
    values = torch.arange(float(made.rows * 2)).view(-1, 1)
    moved = move(values)
    first = moved[: 4 * 2 * 8].view(4, 2, 8)
    # Seed 1 begins after sixteen rows of two heads: its first example's three tokens, and five copies of the first.
    assert first[0].tolist() == [[32.0, 34.0, 36.0, *[32.0] * 5], [33.0, 35.0, 37.0, *[33.0] * 5]]
    tokens = [row for share, used in zip(torch.arange(made.rows).split(made.sizes), (11, 4, 27, 16), strict=True)
              for row in share[:used].tolist()]  # fmt: skip
    assert torch.equal(move.back()(moved).view(-1, 2)[tokens], values.view(-1, 2)[tokens])


@pytest.mark.parametrize("family", ENCODERS)
def test_inside_the_encoder_there_is_no_padding(family: str, uneven: None) -> None:
    stack = StackedModel(tiny_model(family), SEEDS)
    stack.train(False)
    seen: set[int] = set()
    for module in stack.model.get_submodule(FAMILIES[family].encoder).modules():
        if isinstance(module, StackedLinear):
            module.register_forward_hook(lambda _, args, __: seen.add(args[0][..., 0].numel()))
    inputs, real = batch()
    stack.logits(inputs, {}, real)
    assert seen == {sum(-(-tokens // 8) * 8 for tokens in real.sum((1, 2)))}


@pytest.mark.parametrize("shares", ["uneven", "even"])
@pytest.mark.parametrize("family", ENCODERS)
def test_any_shares_equal_the_separate_models_in_float64(
    family: str, shares: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(shares)
    model = tiny_model(family).double().eval()
    stack = StackedModel(model, SEEDS)
    stack.train(False)
    inputs, _ = batch()
    inputs["attention_mask"][1, 1] = 0  # a hole
    together = stack.logits(inputs, {}, real_tokens(inputs, SEEDS))
    together.square().sum().backward()
    for seed in range(SEEDS):
        model.zero_grad()
        part = {key: values[seed * BATCH : (seed + 1) * BATCH] for key, values in inputs.items()}
        alone = model(**part).logits
        torch.testing.assert_close(together[seed], alone, rtol=1e-11, atol=1e-13)
        alone.square().sum().backward()
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                gradient = stack.parameters[name].grad[seed]
                torch.testing.assert_close(gradient, parameter.grad, rtol=1e-10, atol=1e-12, msg=name)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("activation", ["gelu", "gelu_pytorch_tanh"])
@pytest.mark.parametrize("family", ENCODERS)
def test_a_seed_alone_has_the_bits_that_it_has_among_shares_of_other_sizes(
    family: str, activation: str, precision: Literal["fp32", "bf16"], uneven: None
) -> None:
    """With a width inside the blocks (100) that is no multiple of a vector."""
    width = "hidden_dim" if family == "distilbert" else "intermediate_size"
    name = "activation" if family == "distilbert" else "hidden_act"
    model = tiny_model(family, **{name: activation, width: 100})
    together, parameters = with_dropout(model, slice(0, SEEDS), precision)
    together.square().sum().backward()
    for seed in range(SEEDS):
        alone, its = with_dropout(model, slice(seed, seed + 1), precision)
        alone.square().sum().backward()
        assert torch.equal(alone[0], together[seed])
        for key, parameter in its.items():
            if parameter.grad is not None:
                assert torch.equal(parameter.grad[0], parameters[key].grad[seed]), key


@pytest.mark.parametrize("text", ["devlin:epochs=1", "mixout:epochs=1", "devlin:epochs=1,precision=bf16"])
def test_shares_of_many_sizes_give_the_same_bits_in_any_group(
    text: str, data: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every dropout mask, every product and every gradient, over a training."""
    monkeypatch.setattr(packing, "VALUES", 64)
    seeds = [Seeds.of(number) for number in range(5)]
    together, trained, _ = fit(resolved(text), data, seeds)
    for group in ([3], [1, 4, 0]):
        model, its, _ = fit(resolved(text), data, [seeds[number] for number in group])
        assert torch.equal(its.losses, trained.losses[:, group])
        for name, values in weights(model).items():
            assert torch.equal(values, together.parameters[name][group]), name


def test_even_shares_draw_each_seeds_masks_as_it_would_alone(even: None) -> None:
    model = tiny_model("bert").double()
    together, _ = with_dropout(model, slice(0, SEEDS))
    for seed in range(SEEDS):
        torch.testing.assert_close(with_dropout(model, slice(seed, seed + 1))[0][0], together[seed])
    inputs, real = batch()
    stack = StackedModel(model, SEEDS)
    stack.train(False)
    assert not torch.allclose(together[:1], stack.logits(inputs, {}, real)[:1])


@pytest.mark.parametrize("shares", ["uneven", "even"])
def test_a_seed_that_is_not_finite_leaves_the_others_alone(shares: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(shares)
    inputs, real = batch()
    results = []
    for value in (0.0, torch.nan):
        stack = StackedModel(tiny_model("bert").eval(), SEEDS)
        stack.train(False)
        with torch.no_grad():
            stack.parameters["bert.embeddings.LayerNorm.bias"][0] += value
        logits = stack.logits(inputs, {}, real)
        logits.square().sum().backward()
        results.append([logits, *(p.grad for p in stack.parameters.values())])
    assert results[1][0][0].isnan().all()
    for healthy, other in zip(*results, strict=True):
        assert torch.equal(healthy[1:], other[1:])


def test_a_forward_pass_that_fails_leaves_nothing_behind() -> None:
    stack = StackedModel(tiny_model("bert"), 1)
    stack.train(False)
    inputs, real = batch(1)

    def fail(*_: Any) -> None:
        raise RuntimeError("in the middle")

    handle = stack.model.get_submodule("bert.encoder.layer.1").register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        stack.logits(inputs, {}, real)
    assert current() is None
    handle.remove()
    torch.testing.assert_close(stack.logits(inputs, {}, real)[0], tiny_model("bert").eval()(**inputs).logits)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"attention_mask": torch.zeros(1)}, "another kind"),
        ({"module": "causal"}, "another kind"),
        ({"sliding_window": 4}, "attention with sliding_window"),
    ],
)
def test_attention_of_another_kind_is_refused(options: dict[str, Any], reason: str) -> None:
    module = nn.Identity()
    module.is_causal = options.pop("module", "") == "causal"  # type: ignore[assignment]
    x = torch.zeros(1, 2, 4, 8)
    with inside(Packing(mask([4]), 1024, CPU, even=False)), pytest.raises(StackError, match=reason):
        packed_attention(module, x, x, x, **{"attention_mask": None, "scaling": 1.0, **options})


@pytest.mark.parametrize("family", ["bert", "roberta", "electra"])
def test_a_model_that_does_not_attend_to_all_tokens_is_padded_as_before(family: str) -> None:
    model = tiny_model(family, is_decoder=True)
    assert why_not_stackable(model) == ""
    assert StackedModel(model, 2).model.config._attn_implementation == "eager"


def test_a_norm_that_does_not_know_shares_is_refused_inside() -> None:
    norm = StackedNorm(nn.RMSNorm(8), 2)
    made = Packing(mask([4], [4]), 8, CPU, even=True)
    with inside(made), pytest.raises(StackError, match="RMSNorm inside a packed batch"):
        norm(torch.zeros(1, 8, 8))


def test_a_layer_norm_without_bias_is_refused_where_shares_differ(uneven: None) -> None:
    norm = StackedLayerNorm(nn.LayerNorm(32, bias=False), 2)
    with inside(Packing(mask([9, 9]), 32, CPU, even=False)):
        assert norm(torch.zeros(1, 64, 32)).shape == (1, 64, 32)
    differing = Packing(mask([9, 9], [1, 1]), 32, CPU, even=False)
    with inside(differing), pytest.raises(StackError, match="without bias"):
        norm(torch.zeros(1, 32, 32))


@pytest.mark.parametrize("family", ENCODERS)
def test_an_encoder_holds_all_blocks_of_its_family(family: str) -> None:
    for stack in FAMILIES[family].blocks:
        assert stack.startswith(FAMILIES[family].encoder + ".")
