"""The generator process: Locust and gevent; started by the supervisor, imported by nobody."""
