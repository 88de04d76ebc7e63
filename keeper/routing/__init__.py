"""Fills one trade from pools and puts a floor under it. Pure."""
