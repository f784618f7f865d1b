{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['golden_id', 'channel'],
    on_schema_change='append_new_columns',
    pre_hook="{{ drop_touched_channels() }}",
    post_hook="{{ remember('golden/memberships', 'quality/contact_points') }}"
) }}

with members as (
    {{ touched_members() }}
),

{{ contact_channels('members', ref('dim_contact_point')) }}

select
    golden_id,
    channel,
    addressable,
    normal_form,
    value_id,
    source,
    source_key,
    since,
    n_usable,
    n_given,
    reason
from final
