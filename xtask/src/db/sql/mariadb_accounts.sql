-- MariaDB makes root without a password for more hosts; one statement on a line.
delete from mysql.global_priv where user = '' or (user = 'root' and host not in ('localhost', '127.0.0.1'));
flush privileges;
