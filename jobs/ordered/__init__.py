"""Does what operators ordered on their pages."""
