"""Raw objects in, documents out: the one path by which legacy data enters."""
