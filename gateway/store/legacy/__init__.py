"""Raw objects, what they say (claims, identities, ties), quarantine, what was erased."""
