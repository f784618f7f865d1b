{#
    Steps from contact points to the channels of contacts, ending with ``final``. A preview of a decision goes through the
    same steps, over the memberships that it thinks of: nothing here but SQL and its two relations.

    members    relation of source, source_key, golden_id: whose records are whose.
    told       relation of contact points, as of dim_contact_point.
#}
{% macro contact_channels(members, told) -%}
points as (
    select
        members.golden_id,
        case
            when points.kind = 'address' then 'postal'
            when points.kind = 'phone' and points.type in ('mobile', 'fixe_ou_mobile') then 'mobile'
            else points.kind
        end as channel,
        coalesce(points.normal_form, points.value) as form,
        points.*
    from {{ told }} as points
    inner join {{ members }} as members
        on points.contact_source = members.source and points.contact_key = members.source_key
    where points.is_current
),

-- What happened to a form is known of all who share it in one contact: a letter that came back from one record's
-- address came back from the same address in another record, too.
forms as (
    select
        golden_id,
        channel,
        form,
        arg_max(value_id, since) as value_id,
        arg_max(source, since) as source,
        arg_max(source_key, since) as source_key,
        max(since) as since,
        bool_or(usable) and not coalesce(bool_or(
            reason in ('RETOURS', 'DECES', 'REBOND_DUR', 'REBONDS', 'DEMENAGEMENT')
        ), false) as usable,
        arg_max(reason, since) as reason
    from points
    group by all
),

channels as (
    select
        golden_id,
        channel,
        bool_or(usable) as addressable,
        arg_max(form, since) filter (where usable) as normal_form,
        arg_max(value_id, since) filter (where usable) as value_id,
        arg_max(source, since) filter (where usable) as source,
        arg_max(source_key, since) filter (where usable) as source_key,
        max(since) filter (where usable) as since,
        count(*) filter (where usable) as n_usable,
        count(*) as n_given,
        case when not bool_or(usable) then arg_max(reason, since) end as reason
    from forms
    group by all
),

-- A letter that came back because its addressee is dead closes every channel, not only the post.
deceased as (
    select distinct points.golden_id as deceased_id
    from points
    where points.reason = 'DECES'
),

final as (
    select
        channels.* replace (
            channels.addressable and deceased.deceased_id is null as addressable,
            case when deceased.deceased_id is null then channels.n_usable else 0 end as n_usable,
            case when deceased.deceased_id is null then channels.normal_form end as normal_form,
            case when deceased.deceased_id is null then channels.value_id end as value_id,
            case when deceased.deceased_id is null then channels.source end as source,
            case when deceased.deceased_id is null then channels.source_key end as source_key,
            case when deceased.deceased_id is null then channels.since end as since,
            case when deceased.deceased_id is null then channels.reason else 'DECES' end as reason
        )
    from channels
    left join deceased on channels.golden_id = deceased.deceased_id
)
{%- endmacro %}
