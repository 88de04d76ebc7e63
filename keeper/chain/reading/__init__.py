"""One block as a snapshot: views, prices, pools, pins."""
