"""What knows nothing of ours: log lines, cron, time windows, Dutch time, processes, calls with an end."""
