"""Create, update, delete: drafts, rules, and the write itself."""
