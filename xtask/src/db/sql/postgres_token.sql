-- The proof that a server is one of `db up`.
create database converge_local;
\connect converge_local
create table token (token text not null);
insert into token (token) values ('TOKEN');
