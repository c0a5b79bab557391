"""What is kept beside the documents, so that nothing is counted or walked: spans, profiles, texts, tallies."""
