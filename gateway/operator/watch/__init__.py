"""The installation as monitors see it: does anything stand still, and the store in numbers for Prometheus."""
