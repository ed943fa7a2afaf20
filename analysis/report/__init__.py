"""Tells what a run showed: to a person, to a pull request, to a CI server."""
