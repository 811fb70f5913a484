"""The run record, its store, its locks: whatever trains ends here."""
