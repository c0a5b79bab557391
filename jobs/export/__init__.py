"""Sends everything to a register, keeps it in step, and proves it."""
