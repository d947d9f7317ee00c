-- Run once by --init-file, which wants one statement on a line.
create user if not exists 'root'@'127.0.0.1';
alter user 'root'@'127.0.0.1' identified by 'ROOT_PASSWORD';
grant all privileges on *.* to 'root'@'127.0.0.1' with grant option;
alter user 'root'@'localhost' identified by 'ROOT_PASSWORD';
