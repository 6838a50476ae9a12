-- {schema} is put in as a quoted name: hosts install the extension where they like. Cumulative since the last reset.
select json_build_object('statements', coalesce(json_agg(s), '[]')) from (
    select
        queryid::text as id,
        calls,
        total_exec_time as total_ms,
        mean_exec_time as mean_ms,
        rows,
        left(query, 400) as query
    from {schema}.pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database())
    order by total_exec_time desc limit 10
) s
