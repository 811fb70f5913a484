"""Logging runs to the trackers that teams keep their runs in: one small module each."""
