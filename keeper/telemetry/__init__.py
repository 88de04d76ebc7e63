"""Logs, alerts, health."""
