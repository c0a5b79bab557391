"""The server behind `klantbrug serve`: processes, connections, and who may be answered now."""
