{{ config(materialized='view') }}

with unioned as (
    {{ union_sources('consent') }}
)

select *
from unioned
