{{ config(materialized='table') }}

with outcomes as (
    select * from {{ source('quality', 'treated_contacts') }}
),

treatments as (
    select
        treatment_id,
        kind,
        stands
    from {{ ref('fct_treatment') }}
),

redirects as (
    select
        old_id,
        new_id
    from {{ ref('golden_redirect') }}
),

final as (
    select
        outcomes.treatment_id,
        treatments.kind,
        treatments.stands,
        coalesce(redirects.new_id, outcomes.golden_id) as golden_id,
        outcomes.golden_id as golden_id_then,
        outcomes.given,
        outcomes.line,
        outcomes.outcome,
        outcomes.reason,
        outcomes.detail
    from outcomes
    inner join treatments on outcomes.treatment_id = treatments.treatment_id
    left join redirects on outcomes.golden_id = redirects.old_id
)

select
    treatment_id,
    kind,
    stands,
    golden_id,
    golden_id_then,
    given,
    line,
    outcome,
    reason,
    detail
from final
