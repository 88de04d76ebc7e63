"""Reasons not to trade, each measured and said. Pure."""
