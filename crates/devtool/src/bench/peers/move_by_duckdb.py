"""Moves databases from MySQL to PostgreSQL by DuckDB and its two extensions.

The job is a JSON file; `version` prints the version of DuckDB alone.
"""

import glob
import json
import os
import sys

import duckdb


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def attach(connection, alias, kind, address):
    words = " ".join(f"{name}={value}" for name, value in address.items())
    text = words.replace("'", "''")
    connection.execute(f"attach '{text}' as {quoted(alias)} (type {kind})")


def move(connection, database):
    attach(connection, "source", "mysql", database["source"])
    attach(connection, "target", "postgres", database["target"])
    for statement in database["before"]:
        connection.execute("call postgres_execute('target', ?)", [statement])
    for table in database["tables"]:
        columns = ", ".join(quoted(column) for column in table["columns"])
        name = quoted(table["name"])
        connection.execute(
            f"insert into target.public.{name} ({columns}) "
            f"select {columns} from source.{name}"
        )
    for statement in database["after"]:
        connection.execute("call postgres_execute('target', ?)", [statement])
    connection.execute("detach source")
    connection.execute("detach target")


def main():
    if sys.argv[1] == "version":
        print(duckdb.__version__)
        return
    with open(sys.argv[1]) as file:
        databases = json.load(file)
    connection = duckdb.connect()
    packages = os.path.dirname(os.path.dirname(duckdb.__file__))
    for name in ("mysql_scanner", "postgres_scanner"):
        pattern = f"duckdb_extension_{name}/extensions/*/{name}.duckdb_extension"
        (extension,) = glob.glob(os.path.join(packages, pattern))
        connection.execute(f"load '{extension}'")
    connection.execute("set mysql_session_time_zone = '+00:00'")
    for database in databases:
        move(connection, database)


main()
