"""Training many seeds at once: everything that imports torch and ``transformers`` lives here and in the loaders."""

# Raised when a change of the engine changes the numbers of a run: part of every run's identity.
NUMERICS_VERSION = 1
