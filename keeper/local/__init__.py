"""Chains for trying things: embedded, Anvil, a scripted market."""
