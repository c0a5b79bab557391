"""`app` (create_app), `installation` (puts the parts together), `__main__`."""
