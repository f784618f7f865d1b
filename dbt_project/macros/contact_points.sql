{# Id of a declared value, as the code of data quality derives it from the declared texts. #}
{% macro value_id(texts) -%}
    md5(concat_ws(chr(31), {% for text in texts %}coalesce({{ text }}, ''){{ ', ' if not loop.last }}{% endfor %}))
{%- endmacro %}

{# Id of a position that was declared with an address, as the code of places derives it. #}
{% macro place_id(texts, longitude, latitude) -%}
    md5(concat_ws(chr(31), {{ value_id(texts) }}, cast({{ longitude }} as varchar), cast({{ latitude }} as varchar)))
{%- endmacro %}

{# Upper case without accents or punctuation: two spellings of one address read the same. #}
{% macro normal_words(value) -%}
    trim(regexp_replace(upper(strip_accents({{ value }})), '[^A-Z0-9]+', ' ', 'g'))
{%- endmacro %}

{# Golden ids that a record with a moved contact point or membership bears, or bore. #}
{% macro touched_contacts() -%}
    select memberships.golden_id
    from {{ ref('golden_membership') }} as memberships
    semi join (
        select
            contact_source as source,
            contact_key as source_key
        from {{ new_rows('quality/contact_points') }}
        union
        select
            source,
            source_key
        from {{ new_rows('golden/memberships') }}
    ) as moved on memberships.source = moved.source and memberships.source_key = moved.source_key
    where memberships.golden_id is not null
{%- endmacro %}

{# Memberships of this moment: all of them, or those of touched contacts where the model is incremental. #}
{% macro touched_members() -%}
    {{ current_memberships() }}
    {%- if is_incremental() %}
        and golden_id in ({{ touched_contacts() }})
    {%- endif %}
{%- endmacro %}

{# Removes the channels of touched contacts: one may have lost a channel, or be no more. #}
{% macro drop_touched_channels() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where golden_id in ({{ touched_contacts() }})
    {%- endif -%}
{%- endmacro %}
