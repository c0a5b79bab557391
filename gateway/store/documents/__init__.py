"""Documents of the served API: read, selected, written, looked up, numbered."""
