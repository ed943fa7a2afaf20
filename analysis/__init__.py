"""Reads runs, computes, judges, tells."""
