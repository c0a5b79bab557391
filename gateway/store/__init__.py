"""The only place with SQL; knows no HTTP."""
