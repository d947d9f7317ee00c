set client_encoding = 'UTF8';
set timezone = 'UTC';
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
set bytea_output = 'hex';
set standard_conforming_strings = on;
set search_path = '';
set row_security = off;
set statement_timeout = 0;
set idle_in_transaction_session_timeout = 0;
set client_min_messages = warning;
-- What only some versions know, and what a role's defaults would otherwise decide.
select pg_catalog.set_config(s.name, v.setting, false)
  from pg_catalog.pg_settings s
  join (values ('client_connection_check_interval', '10s'),
               ('transaction_timeout', '0'),
               ('idle_session_timeout', '0'),
               ('lock_timeout', '0'),
               ('quote_all_identifiers', 'off'),
               ('default_transaction_read_only', 'off'),
               ('default_transaction_isolation', 'read committed')) v (name, setting)
    on v.name = s.name;
