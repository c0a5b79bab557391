"""What privacy officers ask."""
