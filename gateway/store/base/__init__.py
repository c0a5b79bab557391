"""Kinds, conditions, which fields have an index, compression, the list of migrations."""
