{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='run_id',
    on_schema_change='append_new_columns'
) }}

with memberships as (
    {{ current_memberships() }}
),

presence as (
    select
        golden_id,
        source,
        count(*) as records
    from memberships
    group by all
),

sources as (
    select
        source,
        sum(records) as records
    from presence
    group by source
),

-- Within a source: records beyond the first of each golden contact.
within_source as (
    select
        source as left_source,
        source as right_source,
        sum(records - 1) as duplicate_records
    from presence
    group by source
),

-- Between two sources: records of the left one whose golden contact the right one knows, too.
between_sources as (
    select
        left_side.source as left_source,
        right_side.source as right_source,
        sum(left_side.records) as duplicate_records
    from presence as left_side
    inner join presence as right_side
        on left_side.golden_id = right_side.golden_id and left_side.source <> right_side.source
    group by all
),

found as (
    select * from within_source
    union all
    select * from between_sources
),

final as (
    select
        run.run_id,
        run.measured_at,
        left_side.source as left_source,
        right_side.source as right_source,
        left_side.records,
        coalesce(found.duplicate_records, 0) as duplicate_records
    from sources as left_side
    cross join sources as right_side
    cross join lake.meta.run as run
    left join found
        on left_side.source = found.left_source and right_side.source = found.right_source
)

select
    run_id,
    measured_at,
    left_source,
    right_source,
    cast(records as bigint) as records,
    cast(duplicate_records as bigint) as duplicate_records,
    cast(duplicate_records / records as double) as duplicate_rate
from final
