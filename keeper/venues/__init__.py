"""Families of pools: reads, decoding, exact quotes, encoding. Pure, one file for each family."""
