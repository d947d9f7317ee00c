#!/bin/sh
# Starts MySQL or MariaDB; an empty data directory is filled first, as the environment says:
# MYSQL_ROOT_PASSWORD, MYSQL_ROOT_HOST, MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD (each also
# with _FILE), MYSQL_ALLOW_EMPTY_PASSWORD, and *.sql and *.sh in /docker-entrypoint-initdb.d.
set -eu

data=/var/lib/mysql
socket=/run/mysqld/setup.sock
# A new server is made in here and moved up when it is whole, so that a start that was cut
# short begins anew, and nothing that lay there before is ever removed.
work=$data/.setup
# Moved last: with it, the data directory is whole.
last=mysql

case ${1-} in
'' | -*) set -- mysqld "$@" ;;
esac
case $1 in
mysqld | mariadbd) shift ;;
*) exec "$@" ;;
esac

fail() {
    printf 'entrypoint: %s\n' "$1" >&2
    exit 1
}

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
    MYSQL_PWD=$login mysql --no-defaults --socket="$socket" --user=root "$@"
}

initialise() {
    if [ -x /usr/bin/mariadb-install-db ]; then
        $as_mysql mariadb-install-db --datadir="$work/new" --skip-test-db \
            --auth-root-authentication-method=normal >/dev/null
    else
        $as_mysql mysqld --initialize-insecure --datadir="$work/new"
    fi
}

accounts() {
    # MariaDB makes these without a password, and each is preferred to the one for all hosts.
    for local in 127.0.0.1 ::1 "$(cat /etc/hostname)"; do
        printf "drop user if exists 'root'@%s;\n" "$(text "$local")"
    done
    if [ -n "$database" ]; then
        printf 'create database if not exists %s;\n' "$(name "$database")"
    fi
    if [ -n "$user" ]; then
        printf "create user %s@'%%' identified by %s;\n" "$(text "$user")" "$(text "$password")"
    fi
    if [ -n "$user" ] && [ -n "$database" ]; then
        # In the name of a database in a grant, these two stand for other characters.
        pattern=$(printf '%s' "$database" | sed -e 's/[_%]/\\&/g')
        printf "grant all privileges on %s.* to %s@'%%';\n" "$(name "$pattern")" "$(text "$user")"
    fi
    if [ "$host" != localhost ]; then
        root="'root'@$(text "${host:-%}")"
        printf 'create user %s identified by %s;\n' "$root" "$(text "$root_password")"
        printf 'grant all privileges on *.* to %s with grant option;\n' "$root"
    fi
    printf "alter user 'root'@'localhost' identified by %s;\n" "$(text "$root_password")"
}

files() {
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
        *.sql) echo "entrypoint: $file" && client ${database:+"--database=$database"} <"$file" ;;
        *.sh) echo "entrypoint: $file" && . "$file" ;;
        esac
    done
}

setup() {
    root_password=$(value MYSQL_ROOT_PASSWORD)
    host=$(value MYSQL_ROOT_HOST)
    database=$(value MYSQL_DATABASE)
    user=$(value MYSQL_USER)
    password=$(value MYSQL_PASSWORD)
    if [ -z "$root_password" ] && [ -z "${MYSQL_ALLOW_EMPTY_PASSWORD-}" ]; then
        fail 'MYSQL_ROOT_PASSWORD is not set (or set MYSQL_ALLOW_EMPTY_PASSWORD)'
    fi
    if [ -n "$user" ] && [ -z "$password" ]; then
        fail 'MYSQL_USER is set, and MYSQL_PASSWORD is not'
    fi
    rm -rf "$work"
    mkdir -p "$work/new"
    chown -R mysql:mysql "$work"
    initialise
    $as_mysql mysqld "$@" --datadir="$work/new" --skip-networking --socket="$socket" &
    server=$!
    login=
    until client --execute='select 1' >/dev/null 2>&1; do
        kill -0 "$server" || fail 'the server ended while it was set up'
        sleep 0.1
    done
    accounts | client
    login=$root_password
    files
    client --execute=shutdown
    wait "$server"
    : >"$work/ready"
}

# Moves the new server up; goes on where it was cut short.
settle() {
    for path in "$work/new/"* "$work/new/".[!.]*; do
        if [ -e "$path" ] && [ "$path" != "$work/new/$last" ]; then mv "$path" "$data/"; fi
    done
    mv "$work/new/$last" "$data/"
    rm -rf "$work"
}

mkdir -p "$data" /run/mysqld
if [ ! -e "$data/$last" ]; then
    if [ ! -e "$work" ] && [ -n "$(ls -A "$data" | grep -vx 'lost+found')" ]; then
        fail "$data is not empty and holds no database; nothing was changed"
    fi
    chown mysql:mysql "$data" /run/mysqld
    if [ ! -e "$work/ready" ]; then setup "$@"; fi
    settle
fi
chown mysql:mysql /run/mysqld
exec $as_mysql mysqld --datadir="$data" "$@"
