-- One round trip, no table of the application touched, no parameters: it goes through every pooler.
-- Without the rights of pg_monitor, sessions of others show neither state nor query: then waiters are found in
-- pg_locks, which everybody may read, and the counts are left null. The other way round that would cost more.
-- Statements go as hexadecimal bytes: a session of another database may send them in another encoding, and one
-- such statement would make every function for text, and with it this whole answer, fail.
-- `own` are the console's sessions. Ages are seconds at `seen`, never negative.
with me as materialized (
    select
        pg_has_role('pg_read_all_stats', 'usage') as sees_all,
        statement_timestamp() as seen,
        (select oid from pg_database where datname = current_database()) as database
),
session as materialized (
    select
        a.pid,
        a.usename,
        a.application_name,
        host(a.client_addr) as client,
        a.datname,
        a.backend_type,
        a.state,
        a.wait_event_type,
        a.wait_event,
        greatest(0, extract(epoch from me.seen - a.xact_start)) as transaction_s,
        greatest(0, extract(epoch from me.seen - a.query_start)) as statement_s,
        greatest(0, extract(epoch from me.seen - a.state_change)) as state_s,
        a.query,
        a.pid = pg_backend_pid() or a.application_name like 'radar-console%' as own
    from pg_stat_activity a, me
),
client as (
    select * from session where backend_type = 'client backend'
),
waiting as materialized (
    select pid from session where wait_event_type = 'Lock' and not own
    union
    select pid from pg_locks where not granted and not (select sees_all from me)
),
-- waitstart is there from version 14 on, and null in the first moment of a wait.
wanted as materialized (
    select distinct on (l.pid)
        l.pid,
        l.mode,
        case when l.database = me.database then l.relation::regclass::text end as relation,
        greatest(0, extract(epoch from me.seen - (to_jsonb(l) ->> 'waitstart')::timestamptz)) as waits_s
    from pg_locks l, me
    where not l.granted and exists (select from waiting)
),
waiter as materialized (
    select w.pid, pg_blocking_pids(w.pid) as blockers, l.mode, l.relation,
        coalesce(l.waits_s, s.statement_s) as waits_s
    from (select pid from waiting order by pid limit 100) w
    left join wanted l using (pid)
    left join session s using (pid)
),
shown as (
    select pid from waiter
    union
    select unnest(blockers) from waiter
    union
    (select pid from client where not own and state <> 'idle' order by transaction_s desc nulls last, pid limit 20)
    union
    (select pid from client where not own and state like 'idle in transaction%' order by state_s desc limit 20)
)
select json_build_object(
    'server', (
        select json_build_object(
            'at_ms', floor(extract(epoch from me.seen) * 1000)::bigint,
            'version', current_setting('server_version_num')::int,
            'version_text', current_setting('server_version'),
            'max_connections', current_setting('max_connections')::int,
            'reserved', current_setting('superuser_reserved_connections')::int
                + coalesce(current_setting('reserved_connections', true)::int, 0),
            'in_recovery', pg_is_in_recovery(),
            'started_ms', floor(extract(epoch from pg_postmaster_start_time()) * 1000)::bigint,
            'address', host(inet_server_addr()),
            'port', inet_server_port(),
            'role', current_user,
            'sees_all', me.sees_all
        ) from me
    ),
    'counts', (
        select json_build_object(
            'connections', count(*),
            'own', count(*) filter (where own),
            'active', count(*) filter (where state = 'active' and not own),
            'idle_in_transaction', count(*) filter (where state like 'idle in transaction%' and not own),
            'slow', count(*) filter (where state = 'active' and statement_s > 5 and not own),
            'longest_transaction_s', coalesce(max(transaction_s) filter (where not own), 0),
            'longest_idle_s', coalesce(
                max(state_s) filter (where state like 'idle in transaction%' and not own), 0
            )
        ) from client having (select sees_all from me)
    ),
    'states', (
        select json_object_agg(state, n)
        from (select coalesce(state, 'starting') as state, count(*) as n from client where not own group by 1) s
        where (select sees_all from me)
    ),
    'holders', (
        select json_agg(json_build_object('user', usename, 'application', application_name, 'sessions', n))
        from (
            select usename, application_name, count(*) as n from client where not own
            group by 1, 2 order by n desc, 1, 2 limit 3
        ) h
        where (select sees_all from me)
    ),
    'waiting', (select count(*) from waiting),
    'waiters', (select coalesce(json_agg(w), '[]') from waiter w),
    'sessions', (
        select coalesce(json_agg(json_build_object(
            'pid', s.pid,
            'user', s.usename,
            'application', s.application_name,
            'client', s.client,
            'database', s.datname,
            'backend', s.backend_type,
            'state', s.state,
            'wait', s.wait_event,
            'transaction_s', s.transaction_s,
            'statement_s', s.statement_s,
            'state_s', s.state_s,
            'query_hex', encode(substring(textsend(s.query) for 400), 'hex'),
            'own', s.own
        ) order by s.transaction_s desc nulls last), '[]')
        from session s join shown using (pid)
    ),
    'counters', (
        select json_build_object(
            'commits', xact_commit, 'rollbacks', xact_rollback, 'deadlocks', deadlocks,
            'blocks_read', blks_read, 'blocks_hit', blks_hit
        ) from pg_stat_database where datname = current_database()
    )
)
