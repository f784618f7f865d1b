"""The demo company: a seeded world of French customers with a kept truth, seen through eight feeds that disagree.

``generate`` writes one delivery into the drop folders; ``datadock.evaluation`` scores a linking against the truth.
No other part of the platform may read the truth.
"""

from datadock.demo.damage import Damage
from datadock.demo.delivery import RECORDS_PER_PERSON, generate, people_for_records
from datadock.demo.summary import DemoSummary

__all__ = ["RECORDS_PER_PERSON", "Damage", "DemoSummary", "generate", "people_for_records"]
