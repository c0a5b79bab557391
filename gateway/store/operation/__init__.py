"""Sources, runs, leases, inbox, outbox, events, tokens, reports."""
