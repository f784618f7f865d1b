{{ config(meta={'dagster': {'ref': {'name': 'fct_order'}}}) }}

-- Whatever was merged or split: the facts under golden ids are as many as the sources sent.
with sent as (
    select
        'order' as fact,
        source,
        count(*) as facts
    from {{ ref('int_order') }}
    group by all
    union all
    select
        'order_line' as fact,
        source,
        count(*) as facts
    from {{ ref('int_order_line') }}
    group by all
    union all
    select
        'event' as fact,
        source,
        count(*) as facts
    from {{ ref('int_event') }}
    group by all
    union all
    select
        'consent' as fact,
        source,
        count(*) as facts
    from {{ ref('int_consent') }}
    group by all
),

shown as (
    select
        'order' as fact,
        source,
        count(*) as facts
    from {{ ref('fct_order') }}
    group by all
    union all
    select
        'order_line' as fact,
        source,
        count(*) as facts
    from {{ ref('fct_order_line') }}
    group by all
    union all
    select
        'event' as fact,
        source,
        count(*) as facts
    from {{ ref('fct_event') }}
    group by all
    union all
    select
        'consent' as fact,
        source,
        count(*) as facts
    from {{ ref('fct_consent') }}
    group by all
)

select
    sent.fact,
    sent.source,
    sent.facts as facts_sent,
    shown.fact as fact_shown,
    shown.source as source_shown,
    shown.facts as facts_shown
from sent
full join shown on sent.fact = shown.fact and sent.source = shown.source
where sent.facts is distinct from shown.facts
