"""What the processes of several machines settle between them: which turns of jobs were taken, and how
much each may ask of a source."""
