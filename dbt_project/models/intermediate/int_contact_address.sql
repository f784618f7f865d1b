{{ config(materialized='view') }}

with unioned as (
    {{ union_sources('contact_address') }}
)

select *
from unioned
