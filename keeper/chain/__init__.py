"""The only room that talks to nodes: RPC, batch reads, prices, fees, attempts, submitting, signing."""
