"""What happens in the core, for extensions to hear (`target_app.extensions`).

Signals of blinker, as Flask's own. The sender is the application, and a subscriber runs inside the
transaction of what happened: when it raises, nothing has happened.

>>> @order_placed.connect_via(app)
... def _earn_points(sender, order): ...
"""

from blinker import Namespace

_events = Namespace()

order_placed = _events.signal("order-placed")
"""An order was stored, with its items. ``order``: the record, as a dict."""

order_cancelled = _events.signal("order-cancelled")
"""An order was cancelled. ``order``: the record, as a dict."""
