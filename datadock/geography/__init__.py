"""Where addresses lie and in which IRIS: coordinates, contours, and the assignment of one to the other.

Pure functions over frames and files that a user supplies; what a deployment has loaded of them stands in ``refdata``,
what became of its addresses in ``contact_points.places``.
"""

from datadock.geography.assign import Contours, assign_iris
from datadock.geography.contours import ReadContours, Refused, read_contours

__all__ = ["Contours", "ReadContours", "Refused", "assign_iris", "read_contours"]
