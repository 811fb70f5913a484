"""From a plan to run records: what is missing, where it is trained, and what becomes of failures."""
