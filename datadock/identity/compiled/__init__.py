"""The linking model out of SQL: conditions, keys and normal forms as Python functions of one record or one pair.

SQL is read by DuckDB's own parser and means here what it means there; what cannot be said alike is refused at
compile time. Which levels, rules and forms there are is not here: they are those of the batch.
"""
