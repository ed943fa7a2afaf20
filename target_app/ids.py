"""Record ids: the integers that name a row, in paths, bodies and cursors."""

from werkzeug.routing import IntegerConverter, Map

ID_MAX = 2**63 - 1
"""The largest key either database can hold. Anything larger names no row; it is no error."""


class RecordId(IntegerConverter):
    """The path converter ``<record:id>``: 1 to `ID_MAX`, in ASCII digits; all else is 404."""

    regex = r"[0-9]{1,19}"

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, min=1, max=ID_MAX)
