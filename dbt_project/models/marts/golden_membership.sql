{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source', 'source_key'],
    on_schema_change='append_new_columns',
    post_hook="{{ remember('golden/memberships') }}"
) }}

with arrived as (
    select * from {{ lake_rows(source('golden', 'memberships')) }}
),

-- A new entry ends the one before it, so the whole history of its source record is written anew.
history as (
    {% if is_incremental() %}
        select known.*
        from {{ source('golden', 'memberships') }} as known
        semi join arrived on known.source = arrived.source and known.source_key = arrived.source_key
    {% else %}
        select * from arrived
    {% endif %}
),

periods as (
    select
        *,
        lead(valid_from) over (
            partition by source, source_key
            order by valid_from, run_id
        ) as valid_to
    from history
),

final as (
    select
        source,
        source_key,
        golden_id,
        cast(valid_from as timestamptz) as valid_from,
        cast(valid_to as timestamptz) as valid_to,
        cause,
        run_id,
        valid_to is null and golden_id is not null as is_current
    from periods
)

select
    source,
    source_key,
    golden_id,
    valid_from,
    valid_to,
    cause,
    run_id,
    is_current
from final
