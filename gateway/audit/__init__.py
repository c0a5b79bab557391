"""The audit log of processing (Logboek Dataverwerkingen): whose data stood in an answer, noted before it is sent."""
