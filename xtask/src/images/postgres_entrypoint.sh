#!/bin/sh
# Starts PostgreSQL; an empty data directory is filled first, as the environment says:
# POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB (each also with _FILE), POSTGRES_INITDB_ARGS,
# POSTGRES_HOST_AUTH_METHOD, PGDATA, and the files in /docker-entrypoint-initdb.d.
set -eu

data=${PGDATA:-/var/lib/postgresql/data}
# Stays until everything is set up, so that a start that was cut short begins anew.
unfinished=$data.setup-unfinished

case ${1-} in
'' | -*) set -- postgres "$@" ;;
esac
[ "$1" = postgres ] || exec "$@"
shift

# value NAME: the variable, or what the file named by NAME_FILE holds.
value() {
    eval "plain=\${$1-} file=\${$1_FILE-}"
    if [ -n "$file" ]; then cat "$file"; else printf '%s' "$plain"; fi
}

# Words before a command, rather than a function: in the background, that would be a process
# between us and the server.
as_postgres='setpriv --reuid=postgres --regid=postgres --clear-groups'

client() {
    psql --no-psqlrc --quiet --host=/run/postgresql --username="$user" --set=ON_ERROR_STOP=1 "$@"
}

files() {
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
        *.sql) echo "entrypoint: $file" && client --dbname="$database" --file="$file" ;;
        *.sh) echo "entrypoint: $file" && . "$file" ;;
        esac
    done
}

setup() {
    password=$(value POSTGRES_PASSWORD)
    user=$(value POSTGRES_USER)
    user=${user:-postgres}
    database=$(value POSTGRES_DB)
    database=${database:-$user}
    method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [ -z "$password" ] && [ "$method" != trust ]; then
        echo "entrypoint: POSTGRES_PASSWORD is not set (or set POSTGRES_HOST_AUTH_METHOD=trust)" >&2
        exit 1
    fi
    : >"$unfinished"
    find "$data" -mindepth 1 -delete
    printf '%s\n' "$password" >/run/postgresql/password
    chown postgres /run/postgresql/password
    # The arguments are words of a command line.
    # shellcheck disable=SC2086
    $as_postgres initdb --pgdata="$data" --username="$user" --pwfile=/run/postgresql/password \
        --auth-local=trust ${POSTGRES_INITDB_ARGS-}
    rm /run/postgresql/password
    echo "host all all all $method" >>"$data/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$data/postgresql.conf"
    $as_postgres postgres -D "$data" "$@" -c listen_addresses= &
    server=$!
    until client --dbname=postgres --command='select 1' >/dev/null 2>&1; do
        kill -0 "$server" || exit 1
        sleep 0.1
    done
    if [ "$database" != postgres ]; then
        echo 'create database :"name"' | client --dbname=postgres --set=name="$database"
    fi
    files
    kill -INT "$server"
    wait "$server"
    rm "$unfinished"
}

mkdir -p "$data" /run/postgresql
chown postgres:postgres "$data" /run/postgresql
chmod 700 "$data"
if [ ! -s "$data/PG_VERSION" ] || [ -e "$unfinished" ]; then
    setup "$@"
fi
exec $as_postgres postgres -D "$data" "$@"
