"""The APIs of a source: calls, pages, versions, JWT, JSON that is not quite JSON."""
