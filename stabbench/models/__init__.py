"""Models: where they come from, what their parameters are, and how they are loaded."""
