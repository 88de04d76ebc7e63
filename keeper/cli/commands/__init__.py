"""The commands as they are typed: a file for each panel of the help, in the order in which they show. No decisions."""
