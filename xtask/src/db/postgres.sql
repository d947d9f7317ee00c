-- Run once by psql as the superuser, after the first start.
create role alkemio login password 'alkemio';
create role kratos login password 'kratos';
create database alkemio owner alkemio;
create database kratos owner kratos;
create database converge_local;
\connect converge_local
create table token (token text not null);
insert into token (token) values ('TOKEN');
