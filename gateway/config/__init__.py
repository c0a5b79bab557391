"""The configuration: defaults, sections, what was written, the typed Config."""
