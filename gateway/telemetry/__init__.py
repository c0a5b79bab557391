"""What a process tells of what it did: the access log, what is counted, traces."""
