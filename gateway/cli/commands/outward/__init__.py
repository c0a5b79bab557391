"""Commands about what goes out to other systems: one module a command."""
