"""Identity: from source contacts to golden contacts with lasting ids.

The steps in order, each a function of a ``Workspace`` that can be run again at any time:
``update_features``, ``score_pairs``, ``assign_identities``, ``build_golden``, ``assign_households``, ``find_suspects``.
"""

from datadock.identity.feature_store import FeaturesReport, update_features
from datadock.identity.golden import GoldenReport, build_golden
from datadock.identity.households import HouseholdsReport, assign_households
from datadock.identity.ids import derive_id, id_time, is_valid_id
from datadock.identity.memberships import MembershipReport, assign_identities
from datadock.identity.pairs import PairsReport, score_pairs
from datadock.identity.suspects import SuspectsReport, find_suspects
from datadock.identity.workspace import Workspace

__all__ = [
    "FeaturesReport",
    "GoldenReport",
    "HouseholdsReport",
    "MembershipReport",
    "PairsReport",
    "SuspectsReport",
    "Workspace",
    "assign_households",
    "assign_identities",
    "build_golden",
    "derive_id",
    "find_suspects",
    "id_time",
    "is_valid_id",
    "score_pairs",
    "update_features",
]
