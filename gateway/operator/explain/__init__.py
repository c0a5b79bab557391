"""Why is this so: what is known of a uuid, where each value of a document came from, and what became of an object."""
