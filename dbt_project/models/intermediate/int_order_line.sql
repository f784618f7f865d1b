{{ config(materialized='view') }}

with unioned as (
    {{ union_sources('order_line') }}
)

select *
from unioned
