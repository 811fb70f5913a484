"""The nine tasks of GLUE: what their files hold, and their two sources, a folder of TSV files and the hub."""
