"""What an operator asks, without HTTP: status, backfills, phase, findings, explain, check, reports."""
