"""A transaction's whole life: simulated, signed, sent, followed, accounted for."""
