{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source', 'source_key'],
    on_schema_change='append_new_columns',
    post_hook="{{ remember('golden/memberships') }}",
    pre_hook="{{ drop_untold(ref('int_contact_role')) }}"
) }}

with roles as (
    {{ touched_facts(ref('int_contact_role')) }}
),

memberships as (
    {{ current_memberships() }}
),

resolved as (
    select
        roles.*,
        memberships.golden_id
    from roles
    left join memberships
        on roles.contact_source = memberships.source and roles.contact_key = memberships.source_key
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
    contract_id,
    role,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
