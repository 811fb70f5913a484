"""From scores to a verdict: rules, checks, baselines, and the gate that CI runs."""

from stabbench._room import is_function_too

is_function_too(__name__)
