-- Once a connection: what of our session's settings took effect. A pooler may swallow them without a word.
select json_build_object(
    'statement_timeout', current_setting('statement_timeout') <> '0',
    'read_only', current_setting('default_transaction_read_only') = 'on',
    'version', current_setting('server_version_num')::int
)
