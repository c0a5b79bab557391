"""What was sent to the register that we leave to: pairs of uuids, documents with their pairs, what changed since."""
