{#
    Normal forms and first judgements of contact points, in plain SQL. An expression is null where its input is.
#}
{% macro normal_email(value) -%}
    lower(trim({{ value }}))
{%- endmacro %}

{% macro normal_phone(value) -%}
    regexp_replace(
        regexp_replace({{ value }}, '[^0-9+]', '', 'g'),
        '^(?:(?:\+|00)33(?:0)?|0)([1-9][0-9]{8})$',
        '+33\1'
    )
{%- endmacro %}

{# Upper case without accents or punctuation: two spellings of one address read the same. #}
{% macro normal_words(value) -%}
    trim(regexp_replace(upper(strip_accents({{ value }})), '[^A-Z0-9]+', ' ', 'g'))
{%- endmacro %}

{# What stands for "none" where a form insisted on a value. #}
{% macro is_placeholder(normal) -%}
    (
        {{ normal }} in ('', '-', '.', 'x', 'xx', 'xxx', 'na', 'n/a', 'nc', 'neant', 'néant', 'aucun', 'inconnu', 'null', 'none')
        or {{ normal }} in ('noemail@noemail.com', 'nomail@nomail.com', 'aucun@aucun.fr', 'test@test.com', 'test@test.fr')
    )
{%- endmacro %}

{# One row per filled one of several fields of the contacts. #}
{% macro filled_fields(contacts, kind, fields) -%}
    {%- for field in fields %}
    select
        source,
        source_key,
        '{{ kind }}' as kind,
        '{{ field }}' as field,
        {{ field }} as value,
        _batch_id,
        _line
    from {{ contacts }}
    where {{ field }} is not null
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
