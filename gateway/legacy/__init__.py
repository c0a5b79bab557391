"""The way to a source: one error type per cause, and which calls are background."""
