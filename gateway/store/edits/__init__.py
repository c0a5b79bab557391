"""What clients wrote, kept apart and laid over what the legacy says."""
