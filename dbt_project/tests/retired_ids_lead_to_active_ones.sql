{{ config(meta={'dagster': {'ref': {'name': 'golden_redirect'}}}) }}

select
    redirects.old_id,
    redirects.new_id
from {{ ref('golden_redirect') }} as redirects
left join {{ ref('dim_contact') }} as target on redirects.new_id = target.golden_id
left join {{ ref('dim_contact') }} as retired on redirects.old_id = retired.golden_id
where target.golden_id is null or retired.golden_id is not null
