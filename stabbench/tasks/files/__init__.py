"""Data files as tasks: what a task file declares, and how texts and labels are read from tables of any format."""
