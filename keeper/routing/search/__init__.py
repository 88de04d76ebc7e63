"""The search for the best split, in floats. What leaves this room are whole amounts and the pools' own exact quotes."""
