"""Raw objects, what they say (claims, identities, ties), quarantine, what was found, made of them, erased."""
