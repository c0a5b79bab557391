"""Options, exit codes and progress of every command."""
