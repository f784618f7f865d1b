{{ config(materialized='view') }}

with origins as (
    select * from {{ in_this_file(ref('enrichment_origin')) }}
    where is_on
),

contacts as (
    select * from {{ in_this_file(ref('dim_contact')) }}
),

channels as (
    select * from {{ in_this_file(ref('dim_contact_channel')) }}
    where addressable
),

places as (
    select
        channels.golden_id,
        communes.code_insee
    from channels
    inner join {{ in_this_file(ref('normal_address')) }} as addresses on channels.value_id = addresses.value_id
    inner join {{ in_this_file(ref('dim_commune')) }} as communes on addresses.code_insee = communes.code_insee
    where channels.channel = 'postal'
),

numbers as (
    select
        channels.golden_id,
        phones.operator,
        phones.type
    from channels
    inner join {{ in_this_file(ref('normal_phone')) }} as phones on channels.value_id = phones.value_id
    where channels.channel in ('mobile', 'phone')
    qualify row_number() over (partition by channels.golden_id order by channels.channel asc, channels.since desc) = 1
),

-- A sex is proposed only where the contact declared neither sex nor civility, and all its first names agree.
first_names as (
    select
        members.golden_id,
        min(names.sex_of_first_name) as sex,
        min(names.certainty) as certainty
    from {{ in_this_file(ref('golden_membership')) }} as members
    inner join {{ in_this_file(ref('dim_contact_name')) }} as names
        on members.source = names.source and members.source_key = names.source_key
    inner join contacts on members.golden_id = contacts.golden_id
    where
        members.is_current
        and names.sex_of_first_name <> ''
        and contacts.sex is null
        and contacts.civility is null
    group by members.golden_id
    having min(names.sex_of_first_name) = max(names.sex_of_first_name)
),

ages as (
    select
        golden_id,
        date_diff('year', birth_date, current_date)
        - cast(strftime(current_date, '%m%d') < strftime(birth_date, '%m%d') as integer) as age
    from contacts
    where birth_date is not null and birth_date <= current_date
),

found as (
    select
        golden_id,
        'commune' as attribute,
        code_insee as value,
        'joined' as layer,
        cast(null as double) as certainty,
        cast(null as varchar) as reason,
        cast(null as varchar) as origin,
        cast(null as varchar) as version
    from places
    union all by name
    select
        golden_id,
        'iris' as attribute,
        code_iris as value,
        'joined' as layer,
        cast(null as double) as certainty,
        coalesce(iris_code, reason) as reason,
        origin,
        iris_version as version
    from {{ in_this_file(ref('contact_iris')) }}
    where code_iris is not null or code_insee is not null
    union all by name
    select
        golden_id,
        'age_band' as attribute,
        case
            when age < 18 then '0-17'
            when age < 25 then '18-24'
            when age < 35 then '25-34'
            when age < 50 then '35-49'
            when age < 65 then '50-64'
            when age < 75 then '65-74'
            else '75+'
        end as value,
        'inferred' as layer,
        cast(null as double) as certainty,
        cast(null as varchar) as reason
    from ages
    union all by name
    select
        golden_id,
        'sex' as attribute,
        sex as value,
        'inferred' as layer,
        certainty,
        cast(null as varchar) as reason
    from first_names
    union all by name
    select
        golden_id,
        'phone_operator' as attribute,
        operator as value,
        'joined' as layer,
        cast(null as double) as certainty,
        cast(null as varchar) as reason
    from numbers
    where operator is not null
    union all by name
    select
        golden_id,
        'phone_type' as attribute,
        type as value,
        'joined' as layer,
        cast(null as double) as certainty,
        cast(null as varchar) as reason
    from numbers
    where type <> ''
),

final as (
    select
        found.golden_id,
        found.attribute,
        found.value,
        found.layer,
        found.certainty,
        found.reason,
        coalesce(found.origin, origins.origin) as origin,
        coalesce(found.version, origins.version) as origin_version,
        current_date as as_of
    from found
    inner join origins on found.attribute = origins.attribute
)

select
    golden_id,
    attribute,
    value,
    layer,
    certainty,
    reason,
    origin,
    origin_version,
    as_of
from final
