-- Which cluster this is; the same for a primary and its standbys. Some hosts take the right away: ask apart.
select json_build_object('system', system_identifier::text) from pg_control_system()
