"""Nouns, units, seams and errors. Pure: the standard library and eth-abi, eth-typing, eth-utils only."""
