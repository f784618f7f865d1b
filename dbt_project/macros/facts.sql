{#
    Facts that something happened to since the mart was last written: those of batches that it does not know, and those
    whose contact record moved to another golden contact. A model of them must remember('golden/memberships').
#}
{% macro touched_facts(facts, contact_source='contact_source', contact_key='contact_key') -%}
    select facts.*
    from {{ facts }} as facts
    {%- if is_incremental() %}
    left join (
        select distinct
            source as known_source,
            _batch_id as known_batch
        from {{ this }}
    ) as known on facts.source = known.known_source and facts._batch_id = known.known_batch
    left join (
        select distinct
            source as moved_source,
            source_key as moved_key
        from {{ new_rows('golden/memberships') }}
    ) as moved on facts.{{ contact_source }} = moved.moved_source and facts.{{ contact_key }} = moved.moved_key
    where known.known_batch is null or moved.moved_key is not null
    {%- endif %}
{%- endmacro %}

{#
    Of facts resolved to their golden id, those that the mart does not hold as they are: new ones, new versions, and
    those whose golden id changed because contacts were merged or split.
#}
{% macro changed_facts(resolved) -%}
    select facts.*
    from {{ resolved }} as facts
    {%- if is_incremental() %}
    left join {{ this }} as known on facts.source = known.source and facts.source_key = known.source_key
    where
        known.source_key is null
        or known._batch_id <> facts._batch_id
        or known._line <> facts._line
        or known.golden_id is distinct from facts.golden_id
    {%- endif %}
{%- endmacro %}

{# The golden id that each contact's source record has at this moment. #}
{% macro current_memberships() -%}
    select
        source,
        source_key,
        golden_id
    from {{ ref('golden_membership') }}
    where is_current
{%- endmacro %}

{# Removes golden contacts that were retired since the last run, in the transaction that brings the others. #}
{% macro drop_retired() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where golden_id in (
            select golden_id
            from {{ lake_rows(none) }}
            where op = 'retire'
        )
    {%- endif -%}
{%- endmacro %}

{# Removes facts that their source no longer tells: a line that the newest version of its order does not list. #}
{% macro drop_untold(facts) -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where not exists (
            select 1
            from {{ facts }} as told
            where told.source = {{ this.identifier }}.source and told.source_key = {{ this.identifier }}.source_key
        )
    {%- endif -%}
{%- endmacro %}

{# Gives contacts that did not change themselves the household that they are in now. #}
{% macro follow_households(members) -%}
    update {{ this }}
    set household_id = told.household_id
    from (
        select
            contacts.golden_id,
            members.household_id
        from {{ this }} as contacts
        left join {{ members }} as members on contacts.golden_id = members.golden_id
        where contacts.household_id is distinct from members.household_id
    ) as told
    where {{ this.identifier }}.golden_id = told.golden_id
{%- endmacro %}
