{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source', 'source_key'],
    on_schema_change='append_new_columns',
    post_hook="{{ remember('golden/memberships') }}"
) }}

with consents as (
    {{ touched_facts(ref('int_consent')) }}
),

memberships as (
    {{ current_memberships() }}
),

resolved as (
    select
        consents.*,
        memberships.golden_id
    from consents
    left join memberships
        on consents.contact_source = memberships.source and consents.contact_key = memberships.source_key
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
    contact_point,
    channel,
    purpose,
    status,
    decided_at,
    proof,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
