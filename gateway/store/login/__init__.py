"""Who may log in to the operators' pages, who is logged in, and who tried."""
