"""What sources send, judged and brought to one form."""
