"""Figures, drawn from finished numbers: none reads a run, decides, or keeps a state."""
