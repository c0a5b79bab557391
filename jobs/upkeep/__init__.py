"""Back-ups, what need not be remembered, what ended."""
