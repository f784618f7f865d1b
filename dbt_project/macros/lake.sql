{#
    Reading the lake, once per row.

    lake_rows(source(...))     rows of a lake table that this model has not read yet: all of them when the model is
                               built from nothing, those after its cursor when it is incremental.
    new_rows('folder/table')   the same for an incremental model that follows several lake tables.
    remember('folder/table')   post-hook: moves the model's cursors, one per table named, in the transaction that
                               writes the rows.
#}
{% macro lake_rows(relation) -%}
    {%- if is_incremental() -%}
        lake.new."{{ this.identifier }}"
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{% macro new_rows(table_name) -%}
    lake.new."{{ this.identifier }} {{ table_name }}"
{%- endmacro %}

{% macro remember() -%}
    delete from datadock.cursors where model = '{{ this.identifier }}';
    insert into datadock.cursors
    select
        '{{ this.identifier }}' as model,
        versions.table_name,
        versions.version,
        run.measured_at as moved_at
    from lake.meta.versions as versions
    cross join lake.meta.run as run
    where versions.table_name in ('{{ varargs | join("', '") }}')
{%- endmacro %}

{# A relation without its database: what a view reads must hold under whatever name the file is attached. #}
{% macro in_this_file(relation) -%}
    {{ relation.include(database=false) if relation.include is defined else relation }}
{%- endmacro %}

{#
    The newest row of each key. Most keys have one row: only the others go through the window, which would sort every row.
#}
{% macro latest_rows(relation, key) -%}
    with repeated as materialized (
        select {{ key }}
        from {{ relation }}
        group by {{ key }}
        having count(*) > 1
    )

    select arrived.*
    from {{ relation }} as arrived
    anti join repeated on arrived.{{ key }} = repeated.{{ key }}
    union all by name
    select arrived.*
    from {{ relation }} as arrived
    semi join repeated on arrived.{{ key }} = repeated.{{ key }}
    qualify row_number() over (partition by arrived.{{ key }} order by arrived.generation desc) = 1
{%- endmacro %}
