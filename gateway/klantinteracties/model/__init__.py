"""One declaration per resource, and their words; expansions; how fresh an answer is."""
