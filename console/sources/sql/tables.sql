-- Dead rows by table, from the statistics: no lock on the tables.
select json_build_object(
    'dead', coalesce(sum(n_dead_tup), 0)::bigint,
    'live', coalesce(sum(n_live_tup), 0)::bigint,
    'tables', (
        select coalesce(json_agg(t), '[]') from (
            select
                schemaname || '.' || relname as name,
                n_live_tup as live,
                n_dead_tup as dead,
                floor(extract(epoch from greatest(last_autovacuum, last_vacuum)) * 1000)::bigint as vacuumed_ms
            from pg_stat_user_tables where n_dead_tup > 0 order by n_dead_tup desc limit 10
        ) t
    )
) from pg_stat_user_tables
