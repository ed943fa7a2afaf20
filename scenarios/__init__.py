"""What load to apply and what is allowed: the vocabulary and the scenario files."""
