-- Run once by --init-file, which wants one statement on a line.
create user if not exists 'root'@'127.0.0.1';
alter user 'root'@'127.0.0.1' identified by 'toor';
grant all privileges on *.* to 'root'@'127.0.0.1' with grant option;
alter user 'root'@'localhost' identified by 'toor';
create database alkemio character set utf8mb4;
create database kratos character set utf8mb4;
create database converge_local character set utf8mb4;
create table converge_local.token (token varchar(64) not null primary key);
insert into converge_local.token (token) values ('TOKEN');
