"""Contracts: what every record of a source must hold, applied at the door and checked on the raw table.

``rules`` makes them from a declaration, ``door`` applies them to what comes in, ``report`` (pandera)
to what stands in the raw table.
"""

from datadock.contracts.door import Door
from datadock.contracts.report import ContractReport, contract_report

__all__ = ["ContractReport", "Door", "contract_report"]
