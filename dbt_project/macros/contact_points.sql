{# Id of a declared value, as the code of data quality derives it from the declared texts. #}
{% macro value_id(texts) -%}
    md5(concat_ws(chr(31), {% for text in texts %}coalesce({{ text }}, ''){{ ', ' if not loop.last }}{% endfor %}))
{%- endmacro %}

{# Upper case without accents or punctuation: two spellings of one address read the same. #}
{% macro normal_words(value) -%}
    trim(regexp_replace(upper(strip_accents({{ value }})), '[^A-Z0-9]+', ' ', 'g'))
{%- endmacro %}
