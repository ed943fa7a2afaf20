"""The run folder: its format, who writes it, who reads it."""
