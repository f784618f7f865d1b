{{ config(materialized='table') }}

with addresses as (
    select * from {{ source('quality', 'treated_addresses') }}
),

treatments as (
    select
        treatment_id,
        kind,
        asked_at,
        stands
    from {{ ref('fct_treatment') }}
),

memberships as (
    {{ current_memberships() }}
),

final as (
    select
        addresses.treatment_id,
        treatments.kind,
        treatments.asked_at,
        treatments.stands,
        -- Of the standing treatments of one kind, the last one that an address went through holds.
        treatments.stands and row_number() over (
            partition by
                treatments.kind,
                treatments.stands,
                addresses.contact_source,
                addresses.contact_key,
                addresses.field,
                addresses.value_id
            order by treatments.asked_at desc, addresses.treatment_id desc
        ) = 1 as is_newest,
        memberships.golden_id,
        addresses.contact_source,
        addresses.contact_key,
        addresses.field,
        addresses.value_id,
        addresses.declared_address_line,
        addresses.declared_address_extra,
        addresses.declared_postcode,
        addresses.declared_city,
        addresses.declared_country,
        addresses.before_form,
        addresses.before_status,
        addresses.before_codes,
        addresses.before_score,
        addresses.before_code_insee,
        addresses.before_reference,
        addresses.given,
        addresses.after_form,
        addresses.after_status,
        addresses.after_codes,
        addresses.after_score,
        addresses.after_code_insee,
        addresses.after_reference,
        addresses.after_line_2,
        addresses.after_line_3,
        addresses.after_line_4,
        addresses.after_line_5,
        addresses.after_line_6,
        addresses.after_line_7,
        addresses.after_street_checked,
        addresses.after_evidence,
        addresses.is_changed,
        addresses.moves_on,
        addresses.move_source,
        addresses.move_key
    from addresses
    inner join treatments on addresses.treatment_id = treatments.treatment_id
    left join memberships
        on addresses.contact_source = memberships.source and addresses.contact_key = memberships.source_key
)

select
    treatment_id,
    kind,
    asked_at,
    stands,
    is_newest,
    golden_id,
    contact_source,
    contact_key,
    field,
    value_id,
    declared_address_line,
    declared_address_extra,
    declared_postcode,
    declared_city,
    declared_country,
    before_form,
    before_status,
    before_codes,
    before_score,
    before_code_insee,
    before_reference,
    given,
    after_form,
    after_status,
    after_codes,
    after_score,
    after_code_insee,
    after_reference,
    after_line_2,
    after_line_3,
    after_line_4,
    after_line_5,
    after_line_6,
    after_line_7,
    after_street_checked,
    after_evidence,
    is_changed,
    moves_on,
    move_source,
    move_key
from final
