"""Documents, made again of all that is held of them: parties and actors, klantcontacten, who represents whom."""
