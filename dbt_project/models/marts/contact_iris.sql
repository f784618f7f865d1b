{{ config(materialized='table') }}

with origins as (
    select * from {{ in_this_file(ref('enrichment_origin')) }}
    where attribute = 'iris' and is_on
),

postal as (
    select
        golden_id,
        value_id
    from {{ in_this_file(ref('dim_contact_channel')) }}
    where channel = 'postal' and addressable
),

unusable as (
    select golden_id
    from {{ in_this_file(ref('dim_contact_channel')) }}
    where channel = 'postal' and not addressable
),

located as (
    select * from {{ in_this_file(ref('place')) }}
),

told as (
    select
        source,
        source_key,
        record_updated_at,
        {{ place_id(
            ['address_line', 'address_extra', 'postcode', 'city', 'country'], 'longitude', 'latitude'
        ) }} as place_id
    from {{ in_this_file(ref('int_source_contact')) }}
    where longitude is not null and latitude is not null
),

-- Positions that records of the contact declared, by the address that they declared with them.
declared as (
    select
        members.golden_id,
        located.value_id,
        arg_max(told.place_id, (told.record_updated_at, told.source, told.source_key)) as place_id
    from {{ in_this_file(ref('golden_membership')) }} as members
    inner join told on members.source = told.source and members.source_key = told.source_key
    inner join located on told.place_id = located.place_id
    where members.is_current
    group by members.golden_id, located.value_id
),

homeless as (
    select
        declared.golden_id,
        min(declared.place_id) as place_id
    from declared
    anti join postal on declared.golden_id = postal.golden_id
    group by declared.golden_id
),

chosen as (
    select
        postal.golden_id,
        postal.value_id,
        coalesce(declared.place_id, postal.value_id) as place_id
    from postal
    left join declared on postal.golden_id = declared.golden_id and postal.value_id = declared.value_id
    union all
    select
        homeless.golden_id,
        cast(null as varchar) as value_id,
        homeless.place_id
    from homeless
),

drawn as (
    select
        code_insee,
        count(*) as n_contours
    from {{ in_this_file(ref('dim_iris')) }}
    group by code_insee
),

placed as (
    select
        contacts.golden_id,
        chosen.golden_id is not null as has_place,
        unusable.golden_id is not null as has_unusable,
        coalesce(addresses.line_7, '') <> '' as is_abroad,
        coalesce(nullif(addresses.code_insee, ''), nullif(located.code_insee, '')) as code_insee,
        located.longitude,
        located.latitude,
        located.precision,
        located.position_version,
        located.code_iris,
        located.iris_code,
        located.reason,
        located.iris_version,
        located.recorded_at
    from {{ in_this_file(ref('dim_contact')) }} as contacts
    left join chosen on contacts.golden_id = chosen.golden_id
    left join unusable on contacts.golden_id = unusable.golden_id
    left join {{ in_this_file(ref('normal_address')) }} as addresses on chosen.value_id = addresses.value_id
    left join located on chosen.place_id = located.place_id
),

judged as (
    select
        placed.*,
        communes.only_iris,
        communes.reference,
        communes.loaded_at,
        coalesce(drawn.n_contours, 0) as n_contours,
        communes.n_iris = 1 and coalesce(drawn.n_contours, 0) < 2 as by_commune
    from placed
    left join {{ in_this_file(ref('dim_commune')) }} as communes on placed.code_insee = communes.code_insee
    left join drawn on placed.code_insee = drawn.code_insee
),

final as (
    select
        judged.golden_id,
        judged.code_insee,
        judged.longitude,
        judged.latitude,
        judged.precision,
        judged.position_version,
        case when judged.by_commune then judged.only_iris else judged.code_iris end as code_iris,
        case when judged.by_commune then 'commune' when judged.code_iris is not null then 'contours' end as iris_by,
        case when not coalesce(judged.by_commune, false) then judged.iris_code end as iris_code,
        case
            when judged.by_commune then origins.origin
            when judged.code_iris is not null then iris.source
        end as origin,
        case when judged.by_commune then origins.version else judged.iris_version end as iris_version,
        case
            when judged.by_commune or judged.code_iris is not null then null
            when not judged.has_place then if(judged.has_unusable, 'adresse_inutilisable', 'sans_adresse')
            when judged.reason is not null then judged.reason
            when judged.is_abroad then 'etranger'
            when judged.code_insee is null then 'sans_commune'
            when judged.n_contours = 0 then 'contours_absents'
            else 'sans_coordonnees'
        end as reason,
        cast(
            case
                when judged.by_commune then judged.loaded_at
                when judged.code_iris is not null then judged.recorded_at
            end as date
        ) as assigned_on
    from judged
    cross join origins
    left join {{ in_this_file(ref('dim_iris')) }} as iris on judged.code_iris = iris.code_iris
)

select
    golden_id,
    code_iris,
    iris_by,
    iris_code,
    reason,
    code_insee,
    longitude,
    latitude,
    precision,
    origin,
    iris_version,
    position_version,
    assigned_on
from final
