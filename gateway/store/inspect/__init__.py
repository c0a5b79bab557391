"""What operators and jobs ask of all of it: status, findings, explain, compare, dump, purge."""
