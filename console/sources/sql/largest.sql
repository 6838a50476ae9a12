-- The largest relations. pg_total_relation_size waits for whoever holds a table exclusively, such as a migration.
select json_build_object('largest', coalesce(json_agg(t), '[]')) from (
    select n.nspname || '.' || c.relname as name, pg_total_relation_size(c.oid) as bytes
    from (
        select oid, relname, relnamespace from pg_class where relkind in ('r', 'm') order by relpages desc limit 100
    ) c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\_toast%'
    order by 2 desc limit 10
) t
