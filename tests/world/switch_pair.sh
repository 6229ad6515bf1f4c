# shellcheck shell=bash
# Two PostgreSQL servers, blue and green, with two databases each, and one PgBouncer in front; for switch.test and what builds on it.
# Everything lives in $DIR and on 127.0.0.1. Every process is started by us and ended by its number.
export PATH="$PATH:/usr/sbin:/sbin" # where an ordinary user has no pgbouncer and no haproxy
: "${B:=build/cc}"
: "${PGBIN:=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)}"
: "${BLUE_BIN:=${LAB_BLUE_PG:-$PGBIN}}" "${GREEN_BIN:=${LAB_GREEN_PG:-$PGBIN}}"
as_pg=() pg_user=$(id -un)
if ((EUID == 0)); then
    pg_user=postgres
    as_pg=(setpriv --reuid=postgres --regid="$(id -g postgres)" --clear-groups --)
fi
pids=()

# Below the ports that the system gives to outgoing connections, so that none of those can take it before its server does.
free_port() {
    local port
    until port=$((10000 + SRANDOM % 10000)) && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}
# await SECONDS COMMAND...: until it succeeds
await() {
    local until=$(($(date +%s%N) + $1 * 1000000000))
    shift
    until "$@" >/dev/null 2>&1; do
        (($(date +%s%N) < until)) || return 1
        sleep 0.02
    done
}
# A name as a conninfo string wants it between its quotes.
as_value() {
    local name=${1//\\/\\\\}
    echo "${name//\'/\\\'}"
}
sql() { # SIDE DATABASE SQL, or options of psql
    local port=$BLUE_PORT dsn
    [[ $1 == blue ]] || port=$GREEN_PORT
    dsn="host=127.0.0.1 port=$port dbname='$(as_value "$2")' user=postgres application_name='cutover test' options='-c default_transaction_read_only=off'"
    if (($# > 3)); then psql -qXAt -v ON_ERROR_STOP=1 "$dsn" "${@:3}"; else psql -qXAt -v ON_ERROR_STOP=1 "$dsn" -c "$3"; fi
}
app() { psql -qXAt "host=127.0.0.1 port=$1 dbname='$(as_value "$2")' user=app connect_timeout=3" -c "$3"; }
admin() { psql -qXAt "host=127.0.0.1 port=$POOLER_PORT dbname=pgbouncer user=postgres" -c "$1"; }

start_pg() { # NAME BIN PORT
    "${as_pg[@]}" "$2/postgres" -D "$DIR/$1" -p "$3" >>"$DIR/$1.log" 2>&1 &
    pids+=($!)
    printf -v "${1}_pid" %s $!
    await 20 sql "$1" postgres 'select 1'
}
new_pg() { # NAME BIN
    "${as_pg[@]}" "$2/initdb" -D "$DIR/$1" -U postgres -A trust -E UTF8 --no-locale -N >"$DIR/$1.initdb" 2>&1
    cat >>"$DIR/$1/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = logical
max_connections = 120
shared_buffers = 32MB
max_prepared_transactions = 5
max_worker_processes = 20
max_logical_replication_workers = 12
${PG_CONF:-}
CONF
}
pair_up() {
    DIR=$(mktemp -d /tmp/cutover-switch.XXXXXX)
    chmod 711 "$DIR"
    BLUE_PORT=$(free_port) GREEN_PORT=$(free_port) POOLER_PORT=$(free_port)
    ((EUID != 0)) || chown "$pg_user" "$DIR"
    new_pg blue "$BLUE_BIN" && new_pg green "$GREEN_BIN" && start_pg blue "$BLUE_BIN" "$BLUE_PORT" && start_pg green "$GREEN_BIN" "$GREEN_PORT" || return 1
    local side
    for side in blue green; do sql $side postgres "CREATE ROLE app LOGIN"; done
    mkdir "$DIR/pooler" "$DIR/state"
    cat >"$DIR/pooler/pgbouncer.ini" <<CONF
; a comment that must stay
[databases]
shop = host=127.0.0.1 port=$BLUE_PORT dbname=shop
Second-DB   =   host=127.0.0.1 port=$BLUE_PORT dbname='Second-DB'
other = host=127.0.0.1 port=$BLUE_PORT dbname=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $POOLER_PORT
unix_socket_dir =
auth_type = trust
auth_file = $DIR/pooler/users
admin_users = postgres
pool_mode = transaction
max_client_conn = 200
default_pool_size = 20
server_login_retry = 7
CONF
    printf '"postgres" ""\n"app" ""\n' >"$DIR/pooler/users"
    ((EUID != 0)) || chown -R "$pg_user" "$DIR/pooler"
    cp "$DIR/pooler/pgbouncer.ini" "$DIR/pgbouncer.blue"
    "${as_pg[@]}" pgbouncer "$DIR/pooler/pgbouncer.ini" >>"$DIR/pooler.log" 2>&1 &
    pids+=($!)
    pooler_pid=$!
    await 10 admin 'SHOW VERSION' || return 1
    write_plan 3s 500ms
}
# Fresh databases on both sides, replicated, green read-only; the pooler on blue. Removes whatever a case left.
pair_fresh() {
    local d side slot
    admin 'RESUME' >/dev/null 2>&1
    cat "$DIR/pgbouncer.blue" >"$DIR/pooler/pgbouncer.ini"
    rm -f "$DIR/pooler/"*.cutover-*
    rm -rf "$DIR/state" && mkdir "$DIR/state"
    admin 'RELOAD' >/dev/null
    for d in shop Second-DB; do
        slot=cutover_$(tr 'A-Z-' 'a-z_' <<<"$d")
        sql green "$d" "ALTER SUBSCRIPTION $slot DISABLE" >/dev/null 2>&1
        sql green "$d" "ALTER SUBSCRIPTION $slot SET (slot_name = NONE)" >/dev/null 2>&1
        sql green "$d" "DROP SUBSCRIPTION $slot" >/dev/null 2>&1
        sql blue postgres "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '$slot' AND active" >/dev/null
        await 5 sql blue postgres "SELECT pg_drop_replication_slot('$slot') FROM pg_replication_slots WHERE slot_name = '$slot'"
        for side in blue green; do
            sql $side "$d" "SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts WHERE database = current_database()" 2>/dev/null |
                while read -r rollback; do sql $side "$d" "$rollback"; done
            PGOPTIONS="-c client_min_messages=warning" sql $side postgres "DROP DATABASE IF EXISTS \"$d\" WITH (FORCE)"
            sql $side postgres "CREATE DATABASE \"$d\""
            sql $side "$d" "
                CREATE TABLE items (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, writer int, n bigint, at timestamptz DEFAULT now());
                CREATE TABLE hot (id int PRIMARY KEY, n bigint);
                CREATE SEQUENCE \"Odd \"\"name\"\"\"; CREATE SEQUENCE down INCREMENT -3 START 1000 MAXVALUE 1000 MINVALUE -9000; CREATE SEQUENCE unused START 77;
                CREATE SEQUENCE asked START 5; CREATE SEQUENCE cached CACHE 20;
                CREATE SCHEMA cutover; CREATE TABLE cutover.marker (id text PRIMARY KEY, at timestamptz, step text);
                GRANT USAGE ON SCHEMA cutover TO PUBLIC; GRANT INSERT ON cutover.marker TO PUBLIC;
                GRANT ALL ON items, hot TO app; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app"
        done
        sql blue "$d" "INSERT INTO hot SELECT g, 0 FROM generate_series(0, 15) g; SELECT nextval('\"Odd \"\"name\"\"\"'), nextval('down'), nextval('down'), nextval('cached'), setval('asked', 41, false)" >/dev/null
        sql blue "$d" "CREATE PUBLICATION cutover_pub FOR ALL TABLES"
        sql green "$d" "CREATE SUBSCRIPTION $slot CONNECTION 'host=127.0.0.1 port=$BLUE_PORT dbname=''$d'' user=postgres' PUBLICATION cutover_pub" 2>/dev/null
        sql green postgres "ALTER DATABASE \"$d\" SET default_transaction_read_only = on"
    done
    await 20 all_ready
}
# After a switch, back to the beginning without making everything anew.
pair_back() {
    local d side
    rm -f "$DIR/pooler/"*.cutover-* "$DIR/state/"*
    for d in shop Second-DB; do
        sql green "$d" "ALTER DATABASE \"$d\" SET default_transaction_read_only = on" || return 1
        sql green "$d" "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'app'" >/dev/null
        sql blue "$d" "ALTER DATABASE \"$d\" RESET default_transaction_read_only"
        sql green "$d" "TRUNCATE items"
        sql green "$d" "ALTER SUBSCRIPTION cutover_$(tr 'A-Z-' 'a-z_' <<<"$d") ENABLE"
        sql blue "$d" "TRUNCATE items"
    done
    cat "$DIR/pgbouncer.blue" >"$DIR/pooler/pgbouncer.ini"
    admin RELOAD >/dev/null && admin RESUME >/dev/null 2>&1
    await 10 caught_up && settled blue
}
caught_up() {
    local d n=back-$RANDOM$RANDOM
    for d in shop Second-DB; do
        sql blue "$d" "INSERT INTO cutover.marker VALUES ('$n', now(), 'test')" || return 1
        await 5 has_marker "$d" "$n" || return 1
    done
}
has_marker() { [[ $(sql green "$1" "SELECT count(*) FROM cutover.marker WHERE id = '$2'") == 1 ]]; }
# Which sides let the application write right now, in a new session of its own: "blue", "green", "blue green", "".
writable() {
    local out=""
    [[ $(app "$BLUE_PORT" "$1" 'SHOW transaction_read_only' 2>/dev/null) != off ]] || out=blue
    [[ $(app "$GREEN_PORT" "$1" 'SHOW transaction_read_only' 2>/dev/null) != off ]] || out+="${out:+ }green"
    echo "$out"
}
# Both databases: only this side takes writes, the pooler leads there and lets a write pass.
is_settled() {
    local d port=$BLUE_PORT
    [[ $1 == blue ]] || port=$GREEN_PORT
    for d in shop Second-DB; do
        [[ $(writable "$d") == "$1" ]] || return 1
        [[ $(PGOPTIONS='' timeout 2 psql -qXAt "host=127.0.0.1 port=$POOLER_PORT dbname='$d' user=app" -c "INSERT INTO items (writer, n) VALUES (-1, 0) RETURNING inet_server_port()") == "$port" ]] || return 1
    done
    [[ $(admin 'SHOW DATABASES' | awk -F'|' '$12 != 0') == "" ]]
}
settled() { await "${2:-15}" is_settled "$1"; }
all_ready() {
    local d
    for d in shop Second-DB; do
        [[ $(sql green "$d" "SELECT count(*) FILTER (WHERE srsubstate <> 'r') = 0 AND count(*) = 3 FROM pg_subscription_rel") == t ]] || return 1
    done
}
write_plan() { # SWITCH_DEADLINE FENCE_DEADLINE
    local d databases="" probe
    for d in shop Second-DB; do
        probe="host=127.0.0.1 port=$POOLER_PORT dbname='$d' user=app"
        databases+="${databases:+,
    }{ name = \"$d\"; blue = \"host=127.0.0.1 port=$BLUE_PORT dbname='$d' user=postgres\"; green = \"host=127.0.0.1 port=$GREEN_PORT dbname='$d' user=postgres\";
      reverse = false; poolers = ( { name = \"p-$d\"; admin = \"host=127.0.0.1 port=$POOLER_PORT dbname=pgbouncer user=postgres\"; database = \"$d\"; file = \"$DIR/pooler/pgbouncer.ini\";
        blue = \"host=127.0.0.1 port=$BLUE_PORT dbname='$d'\"; green = \"host=127.0.0.1 port=$GREEN_PORT dbname='$d'\"; probe = \"$probe\"; } ); }"
    done
    cat >"$DIR/plan.cfg" <<CFG
name = "switch test";
rehearsal = true;
pause_budget = "30s";
switch_deadline = "$1";
fence_deadline = "$2";
blue = { address = "127.0.0.1"; };
green = { address = "127.0.0.1"; };
databases = (
    $databases
);
steps = ( { key = "switch"; title = "Switch"; kind = "switch"; timeout = "60s"; } );
CFG
}
pair_down() {
    local pid
    for pid in "${pids[@]}"; do kill -INT "$pid" 2>/dev/null; done
    for pid in "${pids[@]}"; do
        kill -CONT "$pid" 2>/dev/null
        await 10 bash -c "! kill -0 $pid" || kill -KILL "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    [[ -n ${KEEP:-} ]] || rm -rf "$DIR"
}
