"""Breakers: what stops a vault by itself until it is re-armed. Pure; the journal keeps what they latch."""
