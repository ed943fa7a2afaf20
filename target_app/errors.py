"""What can go wrong outside of a request, and can be mended by who started it."""


class DatasetError(Exception):
    """A dataset cannot be made, used or copied; the message says where, why and what to do."""
