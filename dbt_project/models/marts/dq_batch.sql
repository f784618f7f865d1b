{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source', 'batch_id'],
    on_schema_change='append_new_columns',
    post_hook="{{ remember('ledger/batches') }}"
) }}

with batches as (
    select * from {{ lake_rows(source('ledger', 'batches')) }}
),

final as (
    select
        source,
        batch_id,
        file,
        bytes,
        format,
        encoding,
        cast(received_at as timestamptz) as received_at,
        rows_in,
        rows_loaded,
        rows_quarantined
    from batches
    qualify row_number() over (
        partition by source, batch_id
        order by recorded_at desc
    ) = 1
)

select
    source,
    batch_id,
    file,
    bytes,
    format,
    encoding,
    received_at,
    rows_in,
    rows_loaded,
    rows_quarantined
from final
