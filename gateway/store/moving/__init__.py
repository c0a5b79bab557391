"""Moving a store from a file to PostgreSQL and back: the copy, the check of it, and what it became."""
