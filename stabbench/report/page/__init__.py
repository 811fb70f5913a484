"""The page: a result as one HTML file that needs neither a network nor JavaScript."""
