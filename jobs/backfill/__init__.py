"""Reads a whole source."""
