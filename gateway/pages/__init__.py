"""The operator's pages: Dutch, made here, behind a login. A module and a template for each room."""
