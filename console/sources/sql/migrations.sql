-- Which tables of applied migrations are there, by the tools that keep them; only what we may read.
select json_build_object('tables', coalesce(json_agg(json_build_object('schema', schema, 'readable',
    has_schema_privilege(schema, 'usage') and has_table_privilege(oid, 'select')
) order by place), '[]')) from (
    select 1 as place, 'supabase_migrations' as schema, to_regclass('supabase_migrations.schema_migrations') as oid
    union all
    select 2, 'public', to_regclass('public.schema_migrations')
) t where oid is not null
