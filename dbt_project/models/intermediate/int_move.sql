{{ config(materialized='view') }}

with unioned as (
    {{ union_sources('move') }}
)

select *
from unioned
