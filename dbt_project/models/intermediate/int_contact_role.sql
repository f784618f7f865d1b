{{ config(materialized='view') }}

with unioned as (
    {{ union_sources('contact_role') }}
)

select *
from unioned
