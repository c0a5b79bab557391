"""A Klantinteracties register to leave to: its client, what is sent and looked for there, and the proxy to it."""
