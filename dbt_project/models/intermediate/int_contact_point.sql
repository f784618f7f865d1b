{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source', 'source_key'],
    on_schema_change='append_new_columns'
) }}

with contacts as (
    select
        source,
        source_key,
        email,
        email_2,
        phone,
        mobile,
        address_line,
        address_extra,
        postcode,
        city,
        country,
        _batch_id,
        _line
    from {{ ref('int_source_contact') }}
),

changed as (
    select contacts.*
    from contacts
    {% if is_incremental() %}
        anti join {{ this }} as known
            on
                contacts.source = known.source
                and contacts.source_key = known.source_key
                and contacts._batch_id = known._batch_id
                and contacts._line = known._line
    {% endif %}
),

emails as (
    {{ filled_fields('changed', 'email', ['email', 'email_2']) }}
),

normal_emails as (
    select
        *,
        {{ normal_email('value') }} as normal_form
    from emails
),

judged_emails as (
    select
        *,
        case
            when {{ is_placeholder('normal_form') }} then 'placeholder'
            when contains(normal_form, '..') then 'syntax'
            when
                not regexp_full_match(
                    normal_form,
                    '[a-z0-9!#$%&''*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,}'
                )
                then 'syntax'
        end as reason
    from normal_emails
),

phones as (
    {{ filled_fields('changed', 'phone', ['phone', 'mobile']) }}
),

normal_phones as (
    select
        *,
        {{ normal_phone('value') }} as normal_form
    from phones
),

judged_phones as (
    select
        *,
        case
            when
                regexp_matches(normal_form, '0{8}|1{8}|2{8}|3{8}|4{8}|5{8}|6{8}|7{8}|8{8}|9{8}|123456789')
                then 'placeholder'
            when regexp_full_match(normal_form, '[+]33[1-9][0-9]{8}') then null
            when regexp_full_match(normal_form, '[+][1-9][0-9]{7,14}') and not starts_with(normal_form, '+33') then null
            when {{ is_placeholder('lower(value)') }} then 'placeholder'
            else 'not_a_french_number'
        end as reason
    from normal_phones
),

judged_addresses as (
    select
        source,
        source_key,
        'address' as kind,
        'address_line' as field,
        concat_ws(', ', address_line, address_extra, concat_ws(' ', postcode, city)) as value,
        _batch_id,
        _line,
        {{ normal_words("concat_ws(' ', address_line, postcode, city)") }} as normal_form,
        case
            when address_line is null then 'no_street'
            when city is null then 'no_city'
            when postcode is null then 'no_postcode'
            when coalesce(country, 'FR') not in ('FR', 'FRA', 'France', 'FRANCE') then null
            when not regexp_full_match(postcode, '[0-9]{5}') then 'postcode'
        end as reason
    from changed
    where coalesce(address_line, postcode, city) is not null
),

points as (
    select * from judged_emails
    union all by name
    select * from judged_phones
    union all by name
    select * from judged_addresses
),

-- A contact without any contact point keeps one row, so that it is known to have been looked at.
without_points as (
    select
        source,
        source_key,
        'none' as kind,
        'none' as field,
        cast(null as varchar) as value,
        _batch_id,
        _line,
        cast(null as varchar) as normal_form,
        'nothing_given' as reason
    from changed
    where coalesce(email, email_2, phone, mobile, address_line, postcode, city) is null
),

final as (
    select
        *,
        case
            when reason is null then 'valid'
            when reason = 'placeholder' then 'empty'
            else 'invalid'
        end as status
    from points
    union all by name
    select
        *,
        'empty' as status
    from without_points
)

select
    source,
    source_key,
    kind,
    field,
    value,
    normal_form,
    status,
    reason,
    _batch_id,
    _line
from final
