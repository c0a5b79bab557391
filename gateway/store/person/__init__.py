"""What is held of one person: all that belongs to it, shown whole or taken out of the store (AVG)."""
