{#
    What every staging model ends with: of the new rows, those that the model does not hold in a newer version.
    An older update that arrives late therefore never overwrites a newer one.
#}
{% macro newer_than_known(new_rows) -%}
    select new_rows.*
    from {{ new_rows }} as new_rows
    {%- if is_incremental() %}
    left join {{ this }} as known on new_rows.source_key = known.source_key
    where
        known.source_key is null
        or (
            coalesce(new_rows.record_updated_at, new_rows._received_at),
            new_rows._received_at,
            new_rows._batch_id,
            new_rows._line
        ) >= (
            coalesce(known.record_updated_at, known._received_at),
            known._received_at,
            known._batch_id,
            known._line
        )
    {%- endif %}
{%- endmacro %}
