{{ config(materialized='view') }}

with unioned as (
    {{ union_sources('contact') }}
)

select *
from unioned
