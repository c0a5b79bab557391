"""The objects that it serves."""
