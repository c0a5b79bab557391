"""What every answer of ours has in common: problems, tokens, scopes, rates, headers, CORS."""
