"""`registry` (which jobs there are), `scheduler`, `turns`, `job`."""
