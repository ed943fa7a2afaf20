"""A dataset on a server that somebody gave: a database that others are copied from."""
