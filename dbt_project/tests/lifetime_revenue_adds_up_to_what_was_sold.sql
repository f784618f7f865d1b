{{ config(meta={'dagster': {'ref': {'name': 'fct_order'}}}) }}

-- Revenue per golden contact, split by source and channel, adds up to what the sources sold.
with per_contact as (
    select
        golden_id,
        source,
        channel,
        sum(amount) as revenue
    from {{ ref('fct_order') }}
    group by all
),

shown as (
    select
        source,
        channel,
        sum(revenue) as revenue
    from per_contact
    group by all
),

sold as (
    select
        source,
        channel,
        sum(amount) as revenue
    from {{ ref('int_order') }}
    group by all
)

select
    sold.source,
    sold.channel,
    sold.revenue as revenue_sold,
    shown.revenue as revenue_shown
from sold
full join shown on sold.source = shown.source and sold.channel is not distinct from shown.channel
where sold.revenue is distinct from shown.revenue
