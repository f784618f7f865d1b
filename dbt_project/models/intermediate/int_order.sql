{{ config(materialized='view') }}

with unioned as (
    {{ union_sources('order') }}
)

select *
from unioned
