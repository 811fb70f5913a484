"""Tasks: the lab's five, and the nine of GLUE from TSV files or from the hub; and variants of each."""
