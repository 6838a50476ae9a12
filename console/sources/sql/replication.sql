-- The position in the log, and how far behind each standby is; on a standby, how far it is behind what it received.
-- The functions' names differ by role, not by version; the one not meant for the role raises, hence `case`.
with position as (
    select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end as lsn
)
select json_build_object(
    'in_recovery', pg_is_in_recovery(),
    'position_bytes', (select (lsn - '0/0'::pg_lsn)::bigint from position),
    'behind_bytes', case
        when pg_is_in_recovery() then pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::bigint
    end,
    'replicas', (
        select coalesce(json_agg(json_build_object(
            'name', application_name,
            'client', host(client_addr),
            'state', state,
            'sync', sync_state,
            'lag_bytes', pg_wal_lsn_diff((select lsn from position), replay_lsn)::bigint,
            'lag_s', extract(epoch from replay_lag)
        ) order by application_name), '[]')
        from (select * from pg_stat_replication limit 50) r
    )
)
