"""The driver of PostgreSQL: statements put as it wants them, sessions, the tables, who writes, errors."""
