"""Talking to nodes: one transport, several providers, headers and packed reads."""
