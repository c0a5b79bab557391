"""What clients wrote, back to the source that the old screens show (W1-W14); only what `write_back` names."""
