"""The file: connections, transactions, write-ahead log, who has it open, who waits for whom, errors in words."""
