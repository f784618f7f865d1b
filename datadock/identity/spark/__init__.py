"""Identity's pairs on Spark: the same rules, levels and weights, where one machine is not enough.

Imported only where a catalog declares ``engine: spark``. What a rule or a level is stands in ``blocking`` and
``comparisons``, in DuckDB's SQL, and nowhere else; here it is translated and run.
"""
