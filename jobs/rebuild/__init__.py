"""The mappings again over what is held."""
