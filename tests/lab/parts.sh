# shellcheck shell=bash
# The parts of the lab that hold data: directory, number and ports, databases, pooler. The rest is in edges.sh.
# Needs lib.sh and DIR. A part that fails writes its sentence into DIR/failed; `up` then takes everything down.
. "$lab_here/edges.sh"

problem=""

fail() {
    printf '%s\n' "$*" >>"$DIR/failed"
    return 1
}
# part_ready NAME BEGAN
part_ready() { printf '  %-24s ready %s s\n' "$1" "$(tenths $(($(now_ms) - $2)))"; }
# The last line of a log, for a failure's sentence.
tail_of() { tail -n 1 "$DIR/log/$1.log" 2>/dev/null || true; }

# PostgreSQL and PgBouncer refuse to run as root; then they belong to an unprivileged user.
as_pg=()
pg_user=$(id -un)
if ((EUID == 0)); then
    pg_user=nobody
    ! getent passwd postgres >/dev/null || pg_user=postgres
    as_pg=(setpriv --reuid="$pg_user" --regid="$(id -g "$pg_user")" --clear-groups --)
fi
give_pg() { ((EUID != 0)) || chown -R "$pg_user:$(id -g "$pg_user")" "$@"; }

find_programs() {
    local p missing=()
    LAB_BIN=${LAB_BIN:-$lab_root/build/cc/lab}
    if [[ ! -x $LAB_BIN/shop || ! -x $LAB_BIN/users || ! -x $LAB_BIN/users_report || ! -x $LAB_BIN/ask || ! -x $LAB_BIN/lossy || ! -x $LAB_BIN/echo ]]; then
        say "  building the lab's programs"
        make -s -C "$lab_root" B="$(dirname "$LAB_BIN")" lab || { problem="The lab's programs could not be built (make lab)."; return 1; }
    fi
    LAB_BLUE_PG=${LAB_BLUE_PG:-$(newest_pg)}
    LAB_GREEN_PG=${LAB_GREEN_PG:-$LAB_BLUE_PG}
    for p in "$LAB_BLUE_PG/initdb" "$LAB_BLUE_PG/postgres" "$LAB_BLUE_PG/pg_dump" \
        "$LAB_GREEN_PG/initdb" "$LAB_GREEN_PG/postgres" "$LAB_GREEN_PG/psql" \
        pgbouncer haproxy knotd unbound dnsmasq named prometheus rsync setsid setpriv flock; do
        command -v "$p" >/dev/null || missing+=("$p")
    done
    ((${#missing[@]} == 0)) || { problem="Missing on this machine: ${missing[*]}. Install them (apt-get), or set LAB_BLUE_PG and LAB_GREEN_PG to bin directories of PostgreSQL."; return 1; }
    BLUE_VERSION=$(version_of "$LAB_BLUE_PG")
    GREEN_VERSION=$(version_of "$LAB_GREEN_PG")
}
newest_pg() {
    local d
    # shellcheck disable=SC2012
    d=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
    printf '%s' "${d:-/usr/lib/postgresql/15/bin}"
}
version_of() { "$1/postgres" --version | sed 's/.*) \([0-9.]*\).*/\1/'; }

lay_out() {
    local f
    umask 077
    mkdir -p "$DIR"/{log,bin,pg,pooler,knot,prometheus,storage/blue,storage/green,cron,backup,r1,r2,r3,r4,r5,r6,r7,r8}
    : >"$DIR/pids"
    : >"$DIR/failed"
    chmod 711 "$DIR"
    # A profile of AppArmor goes by the program's path and would forbid a lab in /tmp; a copy has none.
    for f in unbound named; do
        cp "$(command -v "$f")" "$DIR/bin/$f"
        "$DIR/bin/$f" -V >/dev/null 2>&1 || { rm -f "$DIR/bin/$f"; ln -s "$(command -v "$f")" "$DIR/bin/$f"; }
    done
    give_pg "$DIR/pg" "$DIR/pooler"
}

# A lab's number stands for its ports. /tmp/cutover-lab-number.N -> DIR holds it; one up at a time looks for one.
take_number() {
    local n link
    exec 9</tmp
    flock -w 10 9 || { problem="Another process keeps /tmp locked for 10 s, so that no lab number could be taken."; return 1; }
    for ((n = 0; n < 40; n++)); do
        link=/tmp/cutover-lab-number.$n
        if [[ -L $link && ! -d $(readlink "$link") ]]; then rm -f "$link" 2>/dev/null || true; fi
        ! ports_in_use $((20000 + n * 100)) || continue
        if ln -sT "$DIR" "$link" 2>/dev/null; then # without -T it would go into the directory that a taken number points at
            LAB_N=$n
            exec 9<&-
            return 0
        fi
    done
    exec 9<&-
    problem="All 40 lab numbers are taken: see /tmp/cutover-lab-number.*; tests/lab/down takes yours down."
    return 1
}
# Does anybody hold one of the hundred ports from $1 on?
ports_in_use() {
    local hex first last
    while read -r hex; do
        first=$((16#$hex))
        last=$(($1 + 99))
        ((first < $1 || first > last)) || return 0
    done < <(cat /proc/net/{tcp,tcp6,udp,udp6} 2>/dev/null | awk '$2 ~ /:/ && $4 != "06" { sub(/.*:/, "", $2); print $2 }')
    return 1
}

random_word() { head -c 18 /dev/urandom | base64 | tr '+/' 'xy'; }

# Everything that another program needs to know about the lab, as KEY='value' lines for a shell.
write_env() {
    local base=$((20000 + LAB_N * 100)) r
    BLUE_PG_PORT=$((base + 10)) GREEN_PG_PORT=$((base + 11)) SCRATCH_PG_PORT=$((base + 12))
    POOLER_PORT=$((base + 20)) APP_BLUE_PORT=$((base + 30)) APP_GREEN_PORT=$((base + 31)) ECHO_PORT=$((base + 32))
    EDGE_PORT=$((base + 40)) STATS_PORT=$((base + 41)) KNOT_PORT=$((base + 50)) RESOLVER_PORT=$((base + 53)) BIND_PORT=$((base + 56))
    PROMETHEUS_PORT=$((base + 60))
    EDGE_BLUE=127.0.2.1 EDGE_GREEN=127.0.2.2 ZONE=shop.test
    APP_PASSWORD=$(random_word) CUTOVER_PASSWORD=$(random_word)
    PGPASSFILE=$DIR/pgpass
    PGSERVICEFILE=$DIR/pg_service.conf
    write_secrets
    LAB_RESOLVERS="r6=127.0.0.1:$BIND_PORT"
    for r in 1 2 3 4 5 7 8; do LAB_RESOLVERS+=" r$r=127.0.1.$r:$RESOLVER_PORT"; done
    local common="user=cutover passfile=$PGPASSFILE connect_timeout=5"
    LAB_DIR=$DIR
    BLUE_DSN="host=127.0.0.1 port=$BLUE_PG_PORT dbname=shop $common"
    GREEN_DSN="host=127.0.0.1 port=$GREEN_PG_PORT dbname=shop $common"
    SCRATCH_DSN="host=127.0.0.1 port=$SCRATCH_PG_PORT dbname=postgres $common"
    SUBSCRIBE_BACK_DSN="host=127.0.0.1 port=$GREEN_PG_PORT dbname=shop user=cutover passfile=$DIR/pg/pgpass"
    SUBSCRIBE_DSN="host=127.0.0.1 port=$BLUE_PG_PORT dbname=shop user=cutover passfile=$DIR/pg/pgpass"
    POOLER_ADMIN_DSN="host=127.0.0.1 port=$POOLER_PORT dbname=pgbouncer $common"
    POOLER_APP_DSN="host=127.0.0.1 port=$POOLER_PORT dbname=shop user=app passfile=$PGPASSFILE connect_timeout=5"
    POOLER_PROBE_DSN="host=127.0.0.1 port=$POOLER_PORT dbname=shop $common"
    CRON_FILE=$DIR/cron/blue.crontab
    BACKUP_FILE=$DIR/backup/shop.dump
    POOLER_FILE=$DIR/pooler/databases.ini
    HAPROXY_SOCKET=$DIR/haproxy.sock
    TSIG_KEY_FILE=$DIR/tsig.key
    PROMETHEUS_URL=http://127.0.0.1:$PROMETHEUS_PORT
    ECHO_URL=http://127.0.0.1:$ECHO_PORT/webhook
    local key
    for key in LAB_DIR LAB_N LAB_BIN LAB_BLUE_PG LAB_GREEN_PG BLUE_VERSION GREEN_VERSION PGPASSFILE PGSERVICEFILE \
        BLUE_PG_PORT GREEN_PG_PORT SCRATCH_PG_PORT POOLER_PORT APP_BLUE_PORT APP_GREEN_PORT ECHO_PORT EDGE_PORT \
        STATS_PORT KNOT_PORT RESOLVER_PORT BIND_PORT PROMETHEUS_PORT EDGE_BLUE EDGE_GREEN ZONE LAB_RESOLVERS BLUE_DSN GREEN_DSN \
        SCRATCH_DSN SUBSCRIBE_DSN SUBSCRIBE_BACK_DSN POOLER_ADMIN_DSN POOLER_APP_DSN POOLER_PROBE_DSN POOLER_FILE CRON_FILE BACKUP_FILE HAPROXY_SOCKET TSIG_KEY_FILE \
        PROMETHEUS_URL ECHO_URL; do
        printf "%s='%s'\n" "$key" "${!key}"
    done >"$DIR/env"
    export PGPASSFILE PGSERVICEFILE
}

# Passwords stand in passfiles (one for who runs the lab, one for the servers' user) and in the pooler's user list.
write_secrets() {
    printf '*:*:*:app:%s\n*:*:*:cutover:%s\n' "$APP_PASSWORD" "$CUTOVER_PASSWORD" | tee "$DIR/pg/pgpass" >"$DIR/pgpass"
    printf '"app" "%s"\n"cutover" "%s"\n' "$APP_PASSWORD" "$CUTOVER_PASSWORD" >"$DIR/pooler/userlist.txt"
    give_pg "$DIR/pg/pgpass" "$DIR/pooler/userlist.txt"
    printf '[shop_blue]\nhost=127.0.0.1\nport=%s\ndbname=shop\nuser=cutover\n\n[shop_green]\nhost=127.0.0.1\nport=%s\ndbname=shop\nuser=cutover\n' \
        "$BLUE_PG_PORT" "$GREEN_PG_PORT" >"$DIR/pg_service.conf"
    TSIG_SECRET=$(head -c 32 /dev/urandom | base64)
    printf 'cutover-key:hmac-sha256:%s\n' "$TSIG_SECRET" >"$DIR/tsig.key"
    head -c 32 /dev/urandom | base64 >"$DIR/session.secret"
}

new_cluster() { # BIN DIRECTORY
    "${as_pg[@]}" "$1/initdb" -D "$2" -U lab --auth=trust -E UTF8 --locale=C.UTF-8 --no-sync \
        >>"$DIR/log/initdb.log" 2>&1
}
# The settings of all clusters. fsync stays on: the write pause that the lab shows must be an honest one.
configure_cluster() { # DIRECTORY PORT
    cat >>"$1/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $2
unix_socket_directories = ''
wal_level = logical
max_replication_slots = 20
max_wal_senders = 20
max_logical_replication_workers = 16
max_sync_workers_per_subscription = 4
max_worker_processes = 32
max_connections = 100
shared_buffers = 32MB
track_commit_timestamp = off
password_encryption = 'scram-sha-256'
log_line_prefix = '%m [%p] %a '
CONF
    cat >"$1/pg_hba.conf" <<CONF
host all,replication lab 127.0.0.0/8 trust
host all,replication all 127.0.0.0/8 scram-sha-256
CONF
}
start_cluster() { # NAME BIN DIRECTORY
    # The server's own passfile: a subscription's connection string then needs no password.
    spawn "pg_$1" env PGPASSFILE="$DIR/pg/pgpass" "${as_pg[@]}" "$2/postgres" -D "$3"
}
psql_lab() { # PORT DATABASE ARGUMENTS...
    PGOPTIONS='' "$LAB_GREEN_PG/psql" -qXAt -h 127.0.0.1 -p "$1" -U lab -d "$2" "${@:3}"
}

databases() {
    local t
    t=$(now_ms)
    new_cluster "$LAB_BLUE_PG" "$DIR/pg/blue" || { fail "initdb of blue failed: $(tail_of initdb)"; return 1; }
    if [[ $BLUE_VERSION == "$GREEN_VERSION" ]]; then
        cp -a "$DIR/pg/blue" "$DIR/pg/green"
    else
        new_cluster "$LAB_GREEN_PG" "$DIR/pg/green" || { fail "initdb of green failed: $(tail_of initdb)"; return 1; }
    fi
    cp -a "$DIR/pg/green" "$DIR/pg/scratch"
    one_database blue "$LAB_BLUE_PG" "$BLUE_PG_PORT" "$BLUE_VERSION" "$t" &
    one_database green "$LAB_GREEN_PG" "$GREEN_PG_PORT" "$GREEN_VERSION" "$t" &
    one_database scratch "$LAB_GREEN_PG" "$SCRATCH_PG_PORT" "$GREEN_VERSION" "$t" &
    wait
}
one_database() { # NAME BIN PORT VERSION BEGAN
    configure_cluster "$DIR/pg/$1" "$3"
    start_cluster "$1" "$2" "$DIR/pg/$1"
    await 10 psql_lab "$3" postgres -c 'SELECT 1' || { fail "$1's PostgreSQL did not answer within 10 s: $(tail_of "pg_$1")"; return 1; }
    fill_database "$1" "$3" >>"$DIR/log/schema.log" 2>&1 || { fail "$1's schema could not be loaded: $(tail_of schema)"; return 1; }
    part_ready "$1 PostgreSQL $4" "$5"
}
fill_database() { # NAME PORT
    if [[ $1 == scratch ]]; then
        psql_lab "$2" postgres -v ON_ERROR_STOP=1 -v p="$CUTOVER_PASSWORD" <<<"CREATE ROLE cutover LOGIN SUPERUSER PASSWORD :'p'; CREATE ROLE app LOGIN;"
        return
    fi
    psql_lab "$2" postgres -v app_password="$APP_PASSWORD" -v cutover_password="$CUTOVER_PASSWORD" -f "$lab_here/schema.sql"
    [[ $1 != blue ]] || psql_lab "$2" shop -f "$lab_here/data.sql"
}

# The line of `shop` stands in a file of its own: it is what the switch rewrites.
pooler() {
    local t
    t=$(now_ms)
    printf '[databases]\nshop = host=127.0.0.1 port=%s dbname=shop\n' "$BLUE_PG_PORT" >"$DIR/pooler/databases.ini"
    cat >"$DIR/pooler/pgbouncer.ini" <<CONF
[databases]
shop_green_ro = host=127.0.0.1 port=$GREEN_PG_PORT dbname=shop
%include $DIR/pooler/databases.ini
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $POOLER_PORT
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $DIR/pooler/userlist.txt
admin_users = cutover
pool_mode = transaction
max_client_conn = 600
default_pool_size = 10
server_check_delay = 1
server_login_retry = 1
query_wait_timeout = 120
ignore_startup_parameters = extra_float_digits,options
CONF
    # Who runs cutover rewrites the file, the pooler's user reads it.
    give_pg "$DIR/pooler"
    spawn pooler "${as_pg[@]}" pgbouncer "$DIR/pooler/pgbouncer.ini"
    await 10 pooler_answers || { fail "PgBouncer did not lead to blue within 10 s: $(tail_of pooler)"; return 1; }
    part_ready "PgBouncer" "$t"
}
pooler_answers() { "$LAB_GREEN_PG/psql" -qXAt "$POOLER_APP_DSN" -c 'SELECT 1'; }

backup() {
    local t
    t=$(now_ms)
    "$LAB_BLUE_PG/pg_dump" -Fc -d "$BLUE_DSN" -f "$BACKUP_FILE" 2>>"$DIR/log/backup.log" ||
        { fail "pg_dump of blue failed: $(tail_of backup)"; return 1; }
    part_ready "backup of blue" "$t"
}
