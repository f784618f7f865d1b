"""One record, now: who it is, why, and its commit, with the decision that the next batch would take.

The same model, cleaning, clustering and ids as the batch, on an embedded index of keys, features and memberships. The
lake stays the truth: the index is rebuilt from it and from the journal of what was committed since.
"""

from datadock.identity.index.agreement import Agreement, check_agreement
from datadock.identity.index.build import IndexReport, refresh_index
from datadock.identity.index.finder import IdentityIndex
from datadock.identity.index.resolution import Candidate, Resolution

__all__ = ["Agreement", "Candidate", "IdentityIndex", "IndexReport", "Resolution", "check_agreement", "refresh_index"]
