"""Hostile servers: small asyncio servers of our own that lie, stall, drip, bomb and point elsewhere.

python -m tests.hostile                       every attack on every kind of store; a table
python -m tests.hostile redis mongodb --only drip,half
"""
