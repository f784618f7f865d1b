{#- Written by `datadock source add` from the catalog; edit the declarations instead. -#}
{% macro read_date(column) -%}
    nullif(
        greatest(case
            when {{ column }} like '____-__-__' then try_cast({{ column }} as date)
            when {{ column }} like '_%/_%/____' then cast(try_strptime({{ column }}, '%d/%m/%Y') as date)
            when {{ column }} like '_%-_%-____' then cast(try_strptime({{ column }}, '%d-%m-%Y') as date)
            when {{ column }} like '_%._%.____' then cast(try_strptime({{ column }}, '%d.%m.%Y') as date)
            when {{ column }} like '________' then cast(try_strptime({{ column }}, '%Y%m%d') as date)
            when {{ column }} like '____/_%/_%' then cast(try_strptime({{ column }}, '%Y/%m/%d') as date)
            when {{ column }} like '_% _% ____' then cast(try_strptime({{ column }}, '%d %m %Y') as date)
            when regexp_full_match({{ column }}, '\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.]\d+)?)?Z?)?')
                then cast(try_cast({{ column }} as timestamp) as date)
        end, date '0999-12-31'),
        date '0999-12-31'
    )
{%- endmacro %}

{% macro read_timestamp(column) -%}
    case
        when regexp_full_match({{ column }}, '\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.]\d+)?)?Z?)?')
            then make_timestamptz(epoch_us(try_cast({{ column }} as timestamp)))
        when regexp_full_match({{ column }}, '\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d+)?)? ?[+-]\d\d(:?\d\d)?')
            then try_cast({{ column }} as timestamptz)
        when {{ column }} like '_%/_%/____ _%:_%:_%'
            then make_timestamptz(epoch_us(try_strptime({{ column }}, '%d/%m/%Y %H:%M:%S')))
        when {{ column }} like '_%/_%/____ _%:_%'
            then make_timestamptz(epoch_us(try_strptime({{ column }}, '%d/%m/%Y %H:%M')))
        when {{ column }} like '_%, _% _% ____ _%:_%:_% %'
            then try_strptime({{ column }}, '%a, %d %b %Y %H:%M:%S %z')
        when {{ column }} like '_%/_%/____'
            then make_timestamptz(epoch_us(try_strptime({{ column }}, '%d/%m/%Y')))
        when {{ column }} like '_%-_%-____'
            then make_timestamptz(epoch_us(try_strptime({{ column }}, '%d-%m-%Y')))
        when {{ column }} like '_%._%.____'
            then make_timestamptz(epoch_us(try_strptime({{ column }}, '%d.%m.%Y')))
        when {{ column }} like '________'
            then make_timestamptz(epoch_us(try_strptime({{ column }}, '%Y%m%d')))
        when {{ column }} like '____/_%/_%'
            then make_timestamptz(epoch_us(try_strptime({{ column }}, '%Y/%m/%d')))
        when {{ column }} like '_% _% ____'
            then make_timestamptz(epoch_us(try_strptime({{ column }}, '%d %m %Y')))
    end
{%- endmacro %}

{% macro read_integer(column) -%}
    case
        when regexp_full_match({{ column }}, '[+-]?[0-9]+') then try_cast({{ column }} as bigint)
        else try_cast(regexp_extract(regexp_replace({{ column }}, '[\s\x{a0}\x{202f}€]|EUR', '', 'g'), '^([+-]?[0-9]+)([.,]0*)?$', 1) as bigint)
    end
{%- endmacro %}

{% macro read_decimal(column) -%}
    case
        when regexp_full_match({{ column }}, '[+-]?[0-9]+([.][0-9]+)?') then try_cast({{ column }} as decimal(18, 2))
        when contains({{ column }}, ',') and not regexp_matches({{ column }}, ',.*[.]')
            then try_cast(replace(replace(regexp_replace({{ column }}, '[\s\x{a0}\x{202f}€]|EUR', '', 'g'), '.', ''), ',', '.') as decimal(18, 2))
        else try_cast(replace(regexp_replace({{ column }}, '[\s\x{a0}\x{202f}€]|EUR', '', 'g'), ',', '') as decimal(18, 2))
    end
{%- endmacro %}

{% macro read_number(column) -%}
    cast(case
        when regexp_full_match({{ column }}, '[+-]?[0-9]+([.][0-9]+)?') then try_cast({{ column }} as decimal(30, 12))
        when contains({{ column }}, ',') and not regexp_matches({{ column }}, ',.*[.]')
            then try_cast(replace(replace(regexp_replace({{ column }}, '[\s\x{a0}\x{202f}€]|EUR', '', 'g'), '.', ''), ',', '.') as decimal(30, 12))
        else try_cast(replace(regexp_replace({{ column }}, '[\s\x{a0}\x{202f}€]|EUR', '', 'g'), ',', '') as decimal(30, 12))
    end as double)
{%- endmacro %}

{% macro read_boolean(column) -%}
    case
        when lower({{ column }}) in ('1', 'true', 't', 'vrai', 'v', 'oui', 'o', 'yes', 'y', 'x') then true
        when lower({{ column }}) in ('0', 'false', 'f', 'faux', 'non', 'n', 'no') then false
    end
{%- endmacro %}
