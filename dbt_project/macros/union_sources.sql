{#
    One relation of all sources that hold an entity, in the columns of the customer model. Which sources there are
    comes from the generated macro catalog_sources(): a further source takes a declaration and no edit here. Elements of a
    record's list (order lines, addresses, roles) count while the newest version of their record still lists them.
#}
{% macro union_sources(entity) -%}
    {%- set known = catalog_sources()[entity] -%}
    {%- for model in known['models'] %}
    select
        {%- for column, type in known['columns'].items() %}
        {% if column in model['columns'] -%}
            {{ column }}
        {%- else -%}
            cast(null as {{ type }}) as {{ column }}
        {%- endif -%}
        {{ ',' if not loop.last }}
        {%- endfor %}
    from {{ in_this_file(ref(model['name'])) }}
    {%- if 'enclosing' in model %}
    semi join {{ in_this_file(ref(model['enclosing'])) }} using (_batch_id, _file, _line)
    {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- else %}
    select
        {%- for column, type in known['columns'].items() %}
        cast(null as {{ type }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
    {%- endfor %}
{%- endmacro %}
