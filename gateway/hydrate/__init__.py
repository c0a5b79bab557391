"""From a question to needs: must a source be asked first?."""
