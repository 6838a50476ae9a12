-- Of this database as a whole. None of it waits for a lock on a table.
select json_build_object(
    'database_bytes', case
        when has_database_privilege(current_database(), 'connect')
            then pg_database_size(current_database())
    end,
    'extensions', (select coalesce(json_agg(extname order by extname), '[]') from pg_extension),
    'statements_schema', (
        select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'pg_stat_statements'
    ),
    'slots_retained_bytes', (
        select max(pg_wal_lsn_diff(
            case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, restart_lsn
        ))::bigint from pg_replication_slots
    )
)
