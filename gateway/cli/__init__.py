"""The klantbrug command."""
