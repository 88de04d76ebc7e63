"""Benchmarks: every figure of ours beside a peer and a floor, measured in turns in the same run."""
