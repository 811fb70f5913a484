"""Results measured elsewhere: one reader a format, and what they find as run records. No torch."""
