"""Whether the index says what the batch has said: its records and, on a sample, its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datadock.identity.index.files import current_folder
from datadock.identity.index.party import PartyModel
from datadock.identity.index.store import Store
from datadock.identity.memberships import current_memberships, read_log
from datadock.identity.model import load_model
from datadock.identity.workspace import PARTIES, Workspace

TOLERATED = 0.01
"""Bits by which a weight of the index may differ from that of the batch."""

_SAMPLE = 500


@dataclass(frozen=True)
class Agreement:
    """How far index and batch agree.

    Attributes:
        records: Records that the index has of the batch.
        expected: Records that have a golden id by the membership log.
        pairs: Strong pairs weighed again.
        worst: Largest difference from the batch's weight, in bits.
    """

    records: int
    expected: int
    pairs: int
    worst: float

    @property
    def holds(self) -> bool:
        """Whether nothing differs beyond what is tolerated."""
        return self.records == self.expected and self.worst <= TOLERATED


def check_agreement(workspace: Workspace, folder: Path) -> Agreement:
    """Compare the index in use with the lake.

    Args:
        workspace: The run's workspace.
        folder: Folder of the index; ``refresh_index`` has run.
    """
    path = current_folder(folder)
    expected = current_memberships(read_log(workspace)).drop_nulls("golden_id").height
    if path is None:
        return Agreement(0, expected, 0, 0.0)
    store = Store(path)
    try:
        met = store.count("segment is null")
        pairs = store.some_edges(_SAMPLE)
        with workspace.connection() as con:
            models = [load_model(workspace.model_folder, party) for party in PARTIES]
            parties = {
                m.party: PartyModel(con, m, store, frozenset(), workspace.threshold(m.party))
                for m in models
                if m is not None
            }
            worst = 0.0
            for one, other, weight in pairs:
                left, right = store.record(one), store.record(other)
                if left is not None and right is not None:
                    again = parties[left.party].scorer.weigh(left.row, right.row)[0]
                    worst = max(worst, abs(again - weight))
        return Agreement(met, expected, len(pairs), worst)
    finally:
        store.close()
