"""How statements, values and errors go to PostgreSQL and come back."""
