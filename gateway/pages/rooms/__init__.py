"""The rooms of the pages: what each shows, and which forms it takes."""
