"""Keeps a source in step: sync, sweep, inbox."""
