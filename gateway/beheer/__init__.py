"""The same over HTTP: the operator's API and health."""
