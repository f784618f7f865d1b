{{ config(materialized='table') }}

with ledger as (
    select * from {{ source('quality', 'treatments') }}
),

withdrawn as (
    select
        treatment_id,
        asked_by,
        asked_at,
        reason
    from ledger
    where act = 'withdrawn'
),

final as (
    select
        treated.treatment_id,
        treated.kind,
        treated.asked_by,
        treated.reason,
        cast(treated.asked_at as timestamptz) as asked_at,
        treated.contacts_asked,
        treated.contacts,
        treated.unknown,
        treated.inputs,
        treated.counts,
        withdrawn.treatment_id is null as stands,
        withdrawn.asked_by as withdrawn_by,
        cast(withdrawn.asked_at as timestamptz) as withdrawn_at,
        withdrawn.reason as withdrawn_why,
        treated.run_id
    from ledger as treated
    left join withdrawn on treated.treatment_id = withdrawn.treatment_id
    where treated.act = 'treated'
)

select
    treatment_id,
    kind,
    asked_by,
    reason,
    asked_at,
    contacts_asked,
    contacts,
    unknown,
    inputs,
    counts,
    stands,
    withdrawn_by,
    withdrawn_at,
    withdrawn_why,
    run_id
from final
