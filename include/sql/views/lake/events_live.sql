{%- from "macros/ledger.sql" import adds_up -%}
{%- from "macros/unpack.sql" import unpacked_lines -%}
-- events and what is staged and not loaded yet, as if it were loaded (loaded_at is NULL then): each message once.
-- The staged part opens the objects from the oldest one on that is not loaded; each load moves that on.
-- A message that was loaded more than a day before that and sent again shows twice until it is loaded.
-- Grain: one message. Parameters: live_from (staged_at, path).
with loaded_objects as (
    select source_path
    from {{ t.load_ledger }}
    where
        staged_at >= {{ instant_literal(live_from.staged_at) }}
        and {{ adds_up(t) }}
    union all
    select source_path
    from {{ t.quarantine }}
    where staged_at >= {{ instant_literal(live_from.staged_at) }}
),

lines as (
    select
        "$path" as source_path,
        false as is_archived,
        coalesce(line, '') as line
    from {{ t.lines }}
    where
        "$path" >= {{ literal(live_from.path) }}
        and "$path" not in (select loaded_objects.source_path from loaded_objects)
),

{{ unpacked_lines(t, events, quote, literal) }},

-- The line that a load would take of a message comes first.
numbered_messages as (
    select
        *,
        row_number() over (partition by message_id order by received_at, source_path, line_digest) as occurrence
    from unpacked_lines
    where reject_reason is null
),

-- A message that is sent again comes within a day.
loaded_messages as (
    select message_id
    from {{ t.events }}
    where received_at >= {{ instant_literal(live_from.staged_at) }} - interval '1' day
)

select
    {%- for column in events.columns %}
    {{ quote(column.name) }},
    {%- endfor %}
    loaded_at,
    load_run_id,
    updated_at,
    update_run_id
from {{ t.events }}
union all
select
    {%- for column in events.columns %}
    {{ quote(column.name) }},
    {%- endfor %}
    cast(null as timestamp(6) with time zone) as loaded_at,
    cast(null as varchar) as load_run_id,
    cast(null as timestamp(6) with time zone) as updated_at,
    cast(null as varchar) as update_run_id
from numbered_messages
where occurrence = 1 and message_id not in (select loaded_messages.message_id from loaded_messages)
