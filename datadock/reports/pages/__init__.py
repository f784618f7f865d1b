"""What each page tells: one module a page, each with ``gather``, which returns what its template shows."""
