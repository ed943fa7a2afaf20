"""An HTTP/1.1 client made for load: little work per request, and nothing hidden.

::

    user ── session ── connection ── answer        what it is made of
               │
               ├── cookies, origin                 what a request is made of
               └── response, failures              what an answer is made into
"""

import locust  # noqa: F401 - first: it patches the process, which must not know of ssl before

from loadtests.generator.client.response import Response
from loadtests.generator.client.session import Session
from loadtests.generator.client.user import LoadUser

__all__ = ["LoadUser", "Response", "Session"]
