"""Notifications in and out, and our abonnement at a Notificaties API."""
