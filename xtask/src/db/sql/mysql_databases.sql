-- The databases of a new server; one statement on a line.
create database alkemio character set utf8mb4;
create database kratos character set utf8mb4;
