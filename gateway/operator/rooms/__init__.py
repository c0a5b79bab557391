"""What the rooms of the operator's pages show and do, without HTTP: the way of each source, orders, tokens."""
