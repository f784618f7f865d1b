{{ config(materialized='view') }}

with unioned as (
    {{ union_sources('event') }}
)

select *
from unioned
