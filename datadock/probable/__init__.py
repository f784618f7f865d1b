"""Whether a contact probably exists already, asked before it is saved: exact look-ups by normal forms.

What was typed is read by the same normalisers as what has landed, so that ``06 12 34 56 78`` finds ``+33612345678``.
Candidates come by e-mail, by phone, by address and name, and by name with postal code or birth date. Nothing is
scored by the model and nothing is written: the answer is for the person who types.
"""

from datadock.probable.finder import ProbableFinder, find_probable, open_finder
from datadock.probable.judge import CERTAINTIES, Certainty, Probable, Reason

__all__ = ["CERTAINTIES", "Certainty", "Probable", "ProbableFinder", "Reason", "find_probable", "open_finder"]
