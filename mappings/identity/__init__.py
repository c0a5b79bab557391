"""Who is who: keys, sets of keys, uuids, URLs."""
