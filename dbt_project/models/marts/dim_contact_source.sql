{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source', 'source_key'],
    on_schema_change='append_new_columns',
    post_hook="{{ remember('golden/memberships') }}"
) }}

with contacts as (
    {{ touched_facts(ref('int_source_contact'), 'source', 'source_key') }}
),

memberships as (
    select
        source,
        source_key,
        golden_id,
        valid_from,
        cause
    from {{ ref('golden_membership') }}
    where is_current
),

resolved as (
    select
        contacts.source,
        contacts.source_key,
        contacts.party_type,
        contacts.record_updated_at,
        contacts._batch_id,
        contacts._file,
        contacts._line,
        contacts._received_at,
        memberships.golden_id,
        memberships.valid_from as member_since,
        memberships.cause
    from contacts
    left join memberships
        on contacts.source = memberships.source and contacts.source_key = memberships.source_key
),

final as (
    {{ changed_facts('resolved') }}
)

select
    source,
    source_key,
    golden_id,
    party_type,
    member_since,
    cause,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
