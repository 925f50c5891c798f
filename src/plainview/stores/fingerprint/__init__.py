"""A bare `host:port`: which kind of store listens there."""
