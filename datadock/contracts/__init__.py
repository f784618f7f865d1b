"""Contracts: what every record of a source must hold, applied at the door and checked on the raw table."""

from datadock.contracts.door import Door

__all__ = ["Door"]
