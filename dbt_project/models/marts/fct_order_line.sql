{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source', 'source_key'],
    on_schema_change='append_new_columns',
    post_hook="{{ remember('golden/memberships') }}",
    pre_hook="{{ drop_untold(ref('int_order_line')) }}"
) }}

with lines as (
    {{ touched_facts(ref('int_order_line')) }}
),

memberships as (
    {{ current_memberships() }}
),

resolved as (
    select
        lines.*,
        memberships.golden_id
    from lines
    left join memberships
        on lines.contact_source = memberships.source and lines.contact_key = memberships.source_key
),

final as (
    {{ changed_facts('resolved') }}
)

select
    source,
    source_key,
    golden_id,
    contact_source,
    contact_key,
    order_id,
    line_no,
    product_code,
    product_label,
    quantity,
    unit_price,
    amount,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
