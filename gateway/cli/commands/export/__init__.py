"""`klantbrug export`: leave for a register, or take everything along in files."""
