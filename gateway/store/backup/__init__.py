"""A copy, putting one back, and whether the file is sound."""
