"""What every test of the plugin needs."""

import matplotlib.pyplot as plt
import pytest
import scipy.stats

import stabbench
import stabbench.pytest_plugin.fixture


@pytest.fixture(scope="session", autouse=True)
def loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Imports everything: pytester forgets what a run in this process imports, and some cannot be loaded twice."""
    stabbench.compare(["devlin:epochs=0.1"], seeds=1, store=tmp_path_factory.mktemp("loaded"))
    scipy.stats.levene([1, 2, 3], [1, 2, 4])
    plt.close(plt.figure())
