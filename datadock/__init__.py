"""The core of datadock: logic, types and I/O, with no asset and no sensor in it."""

__version__ = "0.1.0"
