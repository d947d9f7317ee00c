#!/bin/sh
# Starts PostgreSQL; an empty data directory is filled first, as the environment says:
# POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB (each also with _FILE), POSTGRES_INITDB_ARGS,
# POSTGRES_HOST_AUTH_METHOD, PGDATA, and *.sql and *.sh in /docker-entrypoint-initdb.d.
set -eu

data=${PGDATA:-/var/lib/postgresql/data}
# A new server is made in here and moved up when it is whole, so that a start that was cut
# short begins anew, and nothing that lay there before is ever removed.
work=$data/.setup
# Moved last: with it, the data directory is whole.
last=PG_VERSION

case ${1-} in
'' | -*) set -- postgres "$@" ;;
esac
[ "$1" = postgres ] || exec "$@"
shift

fail() {
    printf 'entrypoint: %s\n' "$1" >&2
    exit 1
}

# value NAME: the variable, or what the file named by NAME_FILE holds.
value() {
    eval "plain=\${$1-} file=\${$1_FILE-}"
    if [ -n "$file" ]; then cat "$file"; else printf '%s' "$plain"; fi
}

# Words before a command, rather than a function: in the background, that would be a process
# between us and the server.
as_postgres='setpriv --reuid=postgres --regid=postgres --clear-groups'

client() {
    psql --no-psqlrc --quiet --host=/run/postgresql --port=5432 --username="$POSTGRES_USER" \
        --set=ON_ERROR_STOP=1 "$@"
}

files() {
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
        *.sql) echo "entrypoint: $file" && client --dbname="$POSTGRES_DB" --file="$file" ;;
        *.sh) echo "entrypoint: $file" && . "$file" ;;
        esac
    done
}

setup() {
    password=$(value POSTGRES_PASSWORD)
    POSTGRES_USER=$(value POSTGRES_USER)
    POSTGRES_USER=${POSTGRES_USER:-postgres}
    POSTGRES_DB=$(value POSTGRES_DB)
    POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
    export POSTGRES_USER POSTGRES_DB
    method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [ -z "$password" ] && [ "$method" != trust ]; then
        fail 'POSTGRES_PASSWORD is not set (or set POSTGRES_HOST_AUTH_METHOD=trust)'
    fi
    # initdb takes the first line of a file for it.
    case $password in *"
"*) fail 'POSTGRES_PASSWORD has more than one line' ;; esac
    rm -rf "$work"
    mkdir -p "$work/new"
    (umask 077 && printf '%s\n' "$password" >"$work/password")
    chown -R postgres:postgres "$work"
    # The last of these are words of a command line.
    $as_postgres initdb --pgdata="$work/new" --username="$POSTGRES_USER" --auth-local=trust \
        ${password:+"--pwfile=$work/password"} ${POSTGRES_INITDB_ARGS-}
    rm "$work/password"
    echo "host all all all $method" >>"$work/new/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$work/new/postgresql.conf"
    # What the setup relies on stands after the options that were given.
    $as_postgres postgres -D "$work/new" "$@" -c listen_addresses= -c port=5432 \
        -c unix_socket_directories=/run/postgresql &
    server=$!
    until client --dbname=postgres --command='select 1' >/dev/null 2>&1; do
        kill -0 "$server" || fail 'the server ended while it was set up'
        sleep 0.1
    done
    if [ "$POSTGRES_DB" != postgres ]; then
        echo 'create database :"name"' | client --dbname=postgres --set=name="$POSTGRES_DB"
    fi
    files
    kill -INT "$server"
    wait "$server"
    : >"$work/ready"
}

# Moves the new server up; goes on where it was cut short.
settle() {
    for path in "$work/new/"*; do
        if [ "$path" != "$work/new/$last" ]; then mv "$path" "$data/"; fi
    done
    mv "$work/new/$last" "$data/"
    rm -rf "$work"
}

mkdir -p "$data" /run/postgresql
if [ ! -e "$data/$last" ]; then
    if [ ! -e "$work" ] && [ -n "$(ls -A "$data" | grep -vx 'lost+found')" ]; then
        fail "$data is not empty and holds no database; nothing was changed"
    fi
    chown postgres:postgres "$data" /run/postgresql
    chmod 700 "$data"
    if [ ! -e "$work/ready" ]; then setup "$@"; fi
    settle
fi
chown postgres:postgres /run/postgresql
exec $as_postgres postgres -D "$data" "$@"
