-- Which tables of applied migrations are there, by the tools that keep them: the Supabase CLI's, then the application's.
-- Not by to_regclass, which fails where we may not enter the schema.
select json_build_object('tables', coalesce(json_agg(json_build_object(
    'schema', n.nspname,
    'readable', has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
) order by n.nspname = 'public'), '[]'))
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relname = 'schema_migrations' and c.relkind in ('r', 'p', 'v')
    and n.nspname in ('supabase_migrations', 'public')
