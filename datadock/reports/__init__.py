"""The stewards' reports: pages of plain HTML that open from disk, without Dagster and without a network.

``build`` gathers and writes, ``pages/`` says what each page tells, ``templates/`` how it looks, ``data_docs`` turns
Great Expectations' site into one that carries its own assets.
"""

from datadock.reports.build import ReportSet, build_reports
from datadock.reports.data_docs import DataDocs, build_data_docs

__all__ = ["DataDocs", "ReportSet", "build_data_docs", "build_reports"]
