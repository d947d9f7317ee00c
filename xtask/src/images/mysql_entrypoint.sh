#!/bin/sh
# Starts MySQL or MariaDB; an empty data directory is filled first, as the environment says:
# MYSQL_ROOT_PASSWORD, MYSQL_ROOT_HOST, MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD (each also
# with _FILE), MYSQL_ALLOW_EMPTY_PASSWORD, and the files in /docker-entrypoint-initdb.d.
set -eu

data=/var/lib/mysql
socket=/run/mysqld/setup.sock
# Stays until everything is set up, so that a start that was cut short begins anew.
unfinished=$data/.setup-unfinished

case ${1-} in
'' | -*) set -- mysqld "$@" ;;
esac
case $1 in
mysqld | mariadbd) shift ;;
*) exec "$@" ;;
esac

# value NAME: the variable, or what the file named by NAME_FILE holds.
value() {
    eval "plain=\${$1-} file=\${$1_FILE-}"
    if [ -n "$file" ]; then cat "$file"; else printf '%s' "$plain"; fi
}

# text VALUE: as an SQL string.
text() {
    printf "'%s'" "$(printf '%s' "$1" | sed -e 's/\\/\\\\/g' -e "s/'/''/g")"
}

# name VALUE: as an SQL name.
name() {
    printf '`%s`' "$(printf '%s' "$1" | sed -e 's/`/``/g')"
}

# Words before a command, rather than a function: in the background, that would be a process
# between us and the server.
as_mysql='setpriv --reuid=mysql --regid=mysql --clear-groups'

client() {
    MYSQL_PWD=$password mysql --no-defaults --socket="$socket" --user=root "$@"
}

initialise() {
    if [ -x /usr/bin/mariadb-install-db ]; then
        $as_mysql mariadb-install-db --datadir="$data" --skip-test-db \
            --auth-root-authentication-method=normal >/dev/null
    else
        $as_mysql mysqld --initialize-insecure --datadir="$data"
    fi
}

accounts() {
    host=$(value MYSQL_ROOT_HOST)
    database=$(value MYSQL_DATABASE)
    user=$(value MYSQL_USER)
    # MariaDB makes these without a password, and each is preferred to the one for all hosts.
    for local in 127.0.0.1 ::1 "$(cat /etc/hostname)"; do
        echo "drop user if exists 'root'@$(text "$local");"
    done
    if [ -n "$database" ]; then echo "create database if not exists $(name "$database");"; fi
    if [ -n "$user" ]; then
        echo "create user $(text "$user")@'%' identified by $(text "$(value MYSQL_PASSWORD)");"
        if [ -n "$database" ]; then
            # In the name of a database in a grant, these two stand for other characters.
            pattern=$(printf '%s' "$database" | sed -e 's/[_%]/\\&/g')
            echo "grant all privileges on $(name "$pattern").* to $(text "$user")@'%';"
        fi
    fi
    if [ "$host" != localhost ]; then
        echo "create user 'root'@$(text "${host:-%}") identified by $(text "$root_password");"
        echo "grant all privileges on *.* to 'root'@$(text "${host:-%}") with grant option;"
    fi
    echo "alter user 'root'@'localhost' identified by $(text "$root_password");"
}

files() {
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
        *.sql) echo "entrypoint: $file" && client <"$file" ;;
        *.sh) echo "entrypoint: $file" && . "$file" ;;
        esac
    done
}

setup() {
    root_password=$(value MYSQL_ROOT_PASSWORD)
    if [ -z "$root_password" ] && [ -z "${MYSQL_ALLOW_EMPTY_PASSWORD-}" ]; then
        echo "entrypoint: MYSQL_ROOT_PASSWORD is not set (or set MYSQL_ALLOW_EMPTY_PASSWORD)" >&2
        exit 1
    fi
    find "$data" -mindepth 1 -delete
    initialise
    : >"$unfinished"
    $as_mysql mysqld --datadir="$data" "$@" --skip-networking --socket="$socket" &
    server=$!
    password=
    until client --execute='select 1' >/dev/null 2>&1; do
        kill -0 "$server" || exit 1
        sleep 0.1
    done
    accounts | client
    password=$root_password
    files
    client --execute=shutdown
    wait "$server"
    rm "$unfinished"
}

mkdir -p "$data" /run/mysqld
chown mysql:mysql "$data" /run/mysqld
if [ ! -d "$data/mysql" ] || [ -e "$unfinished" ]; then
    setup "$@"
fi
exec $as_mysql mysqld --datadir="$data" "$@"
