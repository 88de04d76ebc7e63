"""The commands: thin, no decisions."""
