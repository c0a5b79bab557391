"""The way back: what a client wrote, as the old systems of a source take it. Pure; the rules are W1-W14 (issue 15)."""
