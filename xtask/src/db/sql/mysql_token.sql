-- The proof that a server is one of `db up`; one statement on a line.
create database converge_local character set utf8mb4;
create table converge_local.token (token varchar(64) not null primary key);
insert into converge_local.token (token) values ('TOKEN');
