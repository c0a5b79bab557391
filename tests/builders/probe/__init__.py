"""All that tests outside tests/store know of the tables of a store: no other of them has SQL."""
