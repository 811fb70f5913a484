"""The identity of a recipe's code, and a check that nothing has replaced functions of this package."""
