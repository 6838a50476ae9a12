-- {schema} is put in as a quoted name. Tools give the table different columns, hence the row as JSON.
select json_build_object(
    'count', (select count(*) from {schema}.schema_migrations),
    'latest', (
        select json_build_object('version', to_jsonb(m) -> 'version', 'name', to_jsonb(m) -> 'name')
        from {schema}.schema_migrations m order by m.version desc limit 1
    )
)
