"""Sessions and dialects, errors, kinds, conditions, which fields have an index, compression."""
