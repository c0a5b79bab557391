"""The driver of SQLite: sessions, transactions, write-ahead log, who has it open, who waits for whom, errors."""
