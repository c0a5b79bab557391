"""The configuration: each key declared once, what was written, the typed Config."""
