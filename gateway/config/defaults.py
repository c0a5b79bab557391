"""Defaults and limits of config.toml that the parts themselves go by as well.

They stand below those parts: the configuration imports nothing of what it configures.
"""

# How long a write waits for another one, in seconds, and how large the write-ahead log becomes.
BUSY_SECONDS = 5
LOG_MB = 1000
LEAST_LOG_MB = 50  # less would be copied again and again
# Of one source at a time. The file that processes share has room for twice as many calls, for live ones that wait.
MOST_CONNECTIONS = 32
