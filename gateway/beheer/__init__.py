"""The same over HTTP: the operator's API, the status page and health."""
