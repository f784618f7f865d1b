{{ config(meta={'dagster': {'ref': {'name': 'dq_batch'}}}) }}

select *
from {{ ref('dq_batch') }}
where rows_in <> rows_loaded + rows_quarantined
