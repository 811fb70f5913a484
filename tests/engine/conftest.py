"""What the tests of the engine train on."""

import pytest
from lab_training import examples, tensors

from stabbench.engine.inputs import Inputs
from stabbench.engine.stacking import models
from stabbench.engine.stacking.packing import Packing


@pytest.fixture(scope="session")
def data() -> Inputs:
    """Forty examples: two whole batches and a half one an epoch."""
    return tensors(examples(40))


@pytest.fixture
def packed_as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """With even shares."""
    monkeypatch.setattr(models, "Packing", lambda real, width, device, even: Packing(real, width, device, True))
