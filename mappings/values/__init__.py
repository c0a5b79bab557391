"""Names, addresses, countries, numbers: what makes a value fit."""
