"""The warehouse: staging SQL, the dbt project run in-process, and the published copies that readers open."""
