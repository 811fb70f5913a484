"""Studies: declared grids, each with one table and one picture; the papers' are shipped, users write their own."""
