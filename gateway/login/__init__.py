"""Logging in to the operators' pages: accounts, sessions, roles, and the provider of a municipality."""
