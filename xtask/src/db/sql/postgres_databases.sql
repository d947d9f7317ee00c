-- The databases of a new server, with an owner of the same name each.
\set alkemio `printf %s "${CONVERGE_OWNER_PASSWORD:-alkemio}"`
\set kratos `printf %s "${CONVERGE_OWNER_PASSWORD:-kratos}"`
create role alkemio login password :'alkemio';
create role kratos login password :'kratos';
create database alkemio owner alkemio;
create database kratos owner kratos;
