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
-- Servers before 14 do not know it; they are refused with a better message later.
select pg_catalog.set_config(name, '10s', false) from pg_catalog.pg_settings
 where name = 'client_connection_check_interval';
