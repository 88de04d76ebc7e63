"""The configuration: one frozen tree, read once, every value with its origin."""
