from __future__ import annotations


def members(source, kind, log, meter):
    return iter(())
