{{ config(materialized='view') }}

with contacts as (
    select
        source,
        source_key,
        {{ value_id(['civility', 'given_name', 'family_name', 'full_name']) }} as value_id
    from {{ in_this_file(ref('int_source_contact')) }}
    where party_type = 'person'
),

final as (
    select
        contacts.source,
        contacts.source_key,
        contacts.value_id,
        names.value as display_name,
        names.civility,
        names.proposed_civility,
        names.type as sex_of_first_name,
        names.certainty,
        names.status,
        names.codes,
        list_contains(names.codes, 'CIVILITE_PRENOM_DISCORDANTS') as is_civility_contradicted
    from contacts
    inner join {{ in_this_file(ref('normal_name')) }} as names on contacts.value_id = names.value_id
)

select
    source,
    source_key,
    value_id,
    display_name,
    civility,
    proposed_civility,
    sex_of_first_name,
    certainty,
    status,
    codes,
    is_civility_contradicted
from final
