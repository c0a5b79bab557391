"""A Zaken, Catalogi, Klanten and Contactmomenten API for tests and the demo."""
