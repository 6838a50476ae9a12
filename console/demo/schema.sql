-- The demo's database: what a Supabase project has around it (shims), the application's schema, authored rows.
-- console.demo.database fills in the password and runs it once, in one transaction, on an empty cluster.

CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE service_role NOLOGIN BYPASSRLS;
CREATE ROLE radar_owner NOLOGIN;

CREATE SCHEMA auth;
CREATE SCHEMA extensions;
CREATE SCHEMA supabase_migrations;
CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA extensions;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements WITH SCHEMA extensions;

CREATE TABLE auth.users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text UNIQUE, created_at timestamptz DEFAULT now());
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
CREATE FUNCTION public.uuid_generate_v4() RETURNS uuid LANGUAGE sql AS $$ SELECT gen_random_uuid() $$;
GRANT USAGE ON SCHEMA auth, extensions TO anon, authenticated, service_role;

GRANT CREATE, USAGE ON SCHEMA public TO radar_owner;
SET LOCAL ROLE radar_owner;

CREATE TABLE public.clients (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, city text NOT NULL,
  plan text NOT NULL DEFAULT 'starter', created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE public.reviews (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, client_id bigint NOT NULL REFERENCES public.clients,
  source text NOT NULL, rating smallint NOT NULL CHECK (rating BETWEEN 1 AND 5), body text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX reviews_created ON public.reviews (created_at);
CREATE INDEX reviews_client ON public.reviews (client_id, created_at DESC);
CREATE TABLE public.audits (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, client_id bigint NOT NULL REFERENCES public.clients,
  score smallint NOT NULL CHECK (score BETWEEN 0 AND 100), state text NOT NULL DEFAULT 'done',
  created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX audits_created ON public.audits (created_at);
CREATE INDEX audits_client ON public.audits (client_id, created_at DESC);
CREATE TABLE public.feature_use (day date, feature text, uses bigint NOT NULL DEFAULT 0, PRIMARY KEY (day, feature));
CREATE TABLE public.system_health (status text NOT NULL);
CREATE TABLE public.schema_migrations (
  id serial PRIMARY KEY, version integer UNIQUE, name text, executed_at timestamptz DEFAULT now());

-- What the routes read. The fault slow-queries replaces it by one that takes its time.
CREATE FUNCTION public.latest_audits() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce(json_agg(row), '[]')::text FROM (
    SELECT a.id, c.name AS client, a.score, a.state, a.created_at FROM public.audits a
    JOIN public.clients c ON c.id = a.client_id ORDER BY a.id DESC LIMIT 20) row $$;
CREATE FUNCTION public.latest_reviews() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce(json_agg(row), '[]')::text FROM (
    SELECT r.id, c.name AS client, r.source, r.rating, r.body, r.created_at FROM public.reviews r
    JOIN public.clients c ON c.id = r.client_id ORDER BY r.id DESC LIMIT 20) row $$;
CREATE FUNCTION public.all_clients() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce(json_agg(row), '[]')::text FROM (
    SELECT id, name, city, plan FROM public.clients ORDER BY id LIMIT 50) row $$;

INSERT INTO public.system_health VALUES ('ok');
INSERT INTO public.clients (name, city, plan, created_at)
  SELECT (ARRAY['Osteria','Bistro','Trattoria','Café','Brasserie','Izakaya','Taverna','Diner'])[1 + n % 8] || ' '
         || (ARRAY['Aurora','Blau','Cedro','Dahlia','Ember','Fjord','Gelso','Hiro','Indigo','Juniper','Koi'])[1 + n % 11],
         (ARRAY['Berlin','Lisbon','Oslo','Turin','Kyoto','Leeds','Ghent'])[1 + n % 7],
         (ARRAY['starter','starter','growth','pro'])[1 + n % 4], now() - (140 - n) * interval '1 day'
  FROM generate_series(1, 120) n;
INSERT INTO public.reviews (client_id, source, rating, body, created_at)
  SELECT 1 + (n * 37) % 120, (ARRAY['google','tripadvisor','yelp','opentable'])[1 + n % 4], 1 + (n * 7 + n / 5) % 5,
         (ARRAY['Lovely evening','Slow service','Great pasta','Too loud','Would come again'])[1 + n % 5],
         now() - (6000 - n) * interval '7 minutes'
  FROM generate_series(1, 6000) n;
INSERT INTO public.audits (client_id, score, created_at)
  SELECT 1 + (n * 11) % 120, 40 + (n * 17) % 60, now() - (900 - n) * interval '48 minutes' FROM generate_series(1, 900) n;
INSERT INTO public.feature_use
  SELECT current_date - n, feature, 40 + (n * 13 + length(feature) * 7) % 90
  FROM generate_series(0, 29) n, unnest(ARRAY['audit','digest','map','export']) feature;

RESET ROLE;
CREATE TABLE supabase_migrations.schema_migrations (version text PRIMARY KEY, statements text[], name text);

CREATE ROLE radar_app LOGIN PASSWORD {password} CONNECTION LIMIT 40;
CREATE ROLE radar_worker LOGIN PASSWORD {password};
CREATE ROLE radar_reports LOGIN PASSWORD {password};
CREATE ROLE radar_monitor LOGIN PASSWORD {password};
CREATE ROLE authenticator LOGIN PASSWORD {password};
CREATE ROLE migrator LOGIN PASSWORD {password};
GRANT radar_owner TO migrator;
GRANT anon TO authenticator;
GRANT pg_monitor TO radar_monitor;
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role, radar_app, radar_worker, radar_reports, radar_monitor;
GRANT USAGE ON SCHEMA extensions, supabase_migrations TO radar_monitor;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO radar_app, radar_worker;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO radar_reports, anon, service_role;
GRANT SELECT ON supabase_migrations.schema_migrations, public.schema_migrations TO radar_monitor;
-- For the figures of the owners' own.
GRANT SELECT ON public.clients, public.reviews, public.audits TO radar_monitor;
-- As Supabase sets it for `authenticated`; sessions that a person or a job forgets have none.
ALTER ROLE radar_app SET statement_timeout = '8s';
