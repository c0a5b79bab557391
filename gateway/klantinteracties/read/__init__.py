"""Query string to conditions, rows to answers, ETags, questions that took too long."""
