"""The vault's own decisions over past or made-up prices."""
