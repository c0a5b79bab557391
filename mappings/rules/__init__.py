"""What becomes of each kind of object, and one party of all claims on it."""
