{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source', 'source_key'],
    on_schema_change='append_new_columns',
    post_hook="{{ remember('golden/memberships') }}"
) }}

with orders as (
    {{ touched_facts(ref('int_order')) }}
),

memberships as (
    {{ current_memberships() }}
),

resolved as (
    select
        orders.*,
        memberships.golden_id
    from orders
    left join memberships
        on orders.contact_source = memberships.source and orders.contact_key = memberships.source_key
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
    ordered_at,
    channel,
    store_code,
    amount,
    currency,
    status,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
