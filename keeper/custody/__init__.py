"""Who holds the funds and what the key may do with them. Pure, one file for each kind."""
