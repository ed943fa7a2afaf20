"""Record ids: the integers that name a row, in paths, bodies and cursors."""

from werkzeug.routing import BaseConverter

ID_MAX = 2**63 - 1
"""The largest key either database can hold. Anything larger names no row; it is no error."""

_NOBODY = 0


class RecordId(BaseConverter):
    """
    The path converter ``<record:id>``: up to 19 ASCII digits.

    What is beyond `ID_MAX` becomes 0, which names no row either. A converter that refuses a value
    makes werkzeug answer 405 where other methods are served at the address, and not 404.
    """

    regex = r"[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        """
        Read an id.

        Parameters
        ----------
        value : str
            As it stands in the path.

        Returns
        -------
        int
        """
        record = int(value)
        return record if record <= ID_MAX else _NOBODY
