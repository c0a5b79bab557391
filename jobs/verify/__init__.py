"""Proves a store against its source, and repairs it."""
