{{ config(materialized='view') }}

with unioned as (
    {{ union_sources('store') }}
)

select *
from unioned
