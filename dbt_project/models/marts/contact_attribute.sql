{{ config(materialized='table') }}

-- What treatments added is told of source records: a contact has what any of its records has, by the last treatment.
with attributes as (
    select * from {{ source('quality', 'treated_attributes') }}
),

treatments as (
    select
        treatment_id,
        asked_by,
        asked_at
    from {{ ref('fct_treatment') }}
    where stands
),

memberships as (
    {{ current_memberships() }}
),

final as (
    select
        memberships.golden_id,
        attributes.attribute,
        attributes.value,
        attributes.layer,
        attributes.data_set,
        attributes.origin,
        attributes.origin_version,
        attributes.origin_date,
        attributes.licence,
        attributes.treatment_id,
        treatments.asked_by as added_by,
        treatments.asked_at as added_at
    from attributes
    inner join treatments on attributes.treatment_id = treatments.treatment_id
    inner join memberships on attributes.source = memberships.source and attributes.source_key = memberships.source_key
    qualify row_number() over (
        partition by memberships.golden_id, attributes.data_set, attributes.attribute
        order by
            treatments.asked_at desc, attributes.treatment_id desc, attributes.source_key asc, attributes.source asc
    ) = 1
)

select
    golden_id,
    attribute,
    value,
    layer,
    data_set,
    origin,
    origin_version,
    origin_date,
    licence,
    treatment_id,
    added_by,
    added_at
from final
