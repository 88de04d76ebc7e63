"""An operator's own vault, rebuilt on a chain in this process and put through scripted bad days."""
