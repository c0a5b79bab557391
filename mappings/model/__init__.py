"""Claims, documents, findings, settings: plain data."""
