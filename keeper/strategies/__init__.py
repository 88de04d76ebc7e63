"""What should change. Pure, one file for each kind."""
