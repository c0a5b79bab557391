"""All that is held of one person: told to who asks for it, and erased."""
