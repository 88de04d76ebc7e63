"""What happened and why, for people."""
