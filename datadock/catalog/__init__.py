"""The catalog: what a deployment declares, read and validated as a whole.

``fields`` is the vocabulary of the customer model, ``model`` the form of a declaration,
``load`` reads a folder and words the errors.
"""

from datadock.catalog.load import Catalog, load_catalog
from datadock.catalog.model import Entity, Field, Source, Survivorship

__all__ = ["Catalog", "Entity", "Field", "Source", "Survivorship", "load_catalog"]
