"""Training many seeds at once."""

# Raised when a change of the engine changes the numbers of a run: part of every run's identity.
NUMERICS_VERSION = 2
