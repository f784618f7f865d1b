"""Contact points: every address, phone, e-mail and name in its normal form, and what may be done with each.

``values`` normalises each distinct value once and keeps the evidence; ``points`` keeps which record says which
value since when, and what returned letters, bounces and moves made of it; ``places`` where the addresses lie. All are
logs in the lake, written by difference.
"""

from datadock.contact_points.places import PlacesReport, update_places
from datadock.contact_points.points import PointsReport, update_points
from datadock.contact_points.references import References, references_in_use
from datadock.contact_points.values import ValuesReport, update_values

__all__ = [
    "PlacesReport",
    "PointsReport",
    "References",
    "ValuesReport",
    "references_in_use",
    "update_places",
    "update_points",
    "update_values",
]
