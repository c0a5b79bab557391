"""The served API: `views` for all methods, `fast_path` past Flask's routing."""
