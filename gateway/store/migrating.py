"""The migrations of the store, in the order in which the modules that declare them are read, and how they run SQL."""

from sqlite_utils import Database, Migrations

migrations = Migrations("klantbrug")


def script(db: Database, text: str) -> None:
    """Run the statements of `text` one by one: executescript would commit the migration's transaction."""
    lines = (line.split("--", 1)[0] for line in text.splitlines())
    for statement in "\n".join(lines).split(";"):
        if statement.strip():
            db.execute(statement)
