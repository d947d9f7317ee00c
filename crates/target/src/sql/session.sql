set client_encoding = 'UTF8';
set timezone = 'UTC';
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
set bytea_output = 'hex';
set standard_conforming_strings = on;
set search_path = '';
set row_security = off;
set statement_timeout = 0;
set lock_timeout = 0;
set client_min_messages = warning;
set quote_all_identifiers = off;
set default_transaction_read_only = off;
set default_transaction_isolation = 'read committed';
-- These, and the check of the connection that newer versions have, end the session, and with it
-- its locks, once this client is gone without a word: while a statement runs, and while the
-- server waits for more of a COPY; a minute, where the system's defaults are hours. Never
-- tcp_user_timeout: it would also count the time in which a client that is alive reads nothing.
set tcp_keepalives_idle = 30;
set tcp_keepalives_interval = 10;
set tcp_keepalives_count = 3;
