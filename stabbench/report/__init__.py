"""Results as tables, text, Markdown, JSON and pictures."""

from stabbench._room import is_function_too

is_function_too(__name__)
