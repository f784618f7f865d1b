{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source', 'source_key'],
    on_schema_change='append_new_columns',
    post_hook="{{ remember('golden/memberships') }}"
) }}

with events as (
    {{ touched_facts(ref('int_event')) }}
),

memberships as (
    {{ current_memberships() }}
),

resolved as (
    select
        events.*,
        memberships.golden_id
    from events
    left join memberships
        on events.contact_source = memberships.source and events.contact_key = memberships.source_key
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
    event_type,
    happened_at,
    channel,
    subject,
    detail,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
