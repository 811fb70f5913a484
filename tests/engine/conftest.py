"""What the tests of the engine train on."""

import pytest
from lab_training import examples, tensors

from stabbench.engine.inputs import Inputs


@pytest.fixture(scope="session")
def data() -> Inputs:
    """Forty examples: two whole batches and a half one an epoch."""
    return tensors(examples(40))
