-- The staged objects as a crawler's table patched to strings has them.
create table {{ staged }} (
{%- for key in keys %}
    {{ key | lower | quote }} varchar{{ "," if not loop.last }}
{%- endfor %}
)
with (external_location = {{ location | literal }}, format = 'OPENX_JSON')
