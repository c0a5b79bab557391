"""From a need to calls on one source, and what they brought to ingest."""
