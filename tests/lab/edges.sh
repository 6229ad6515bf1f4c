# shellcheck shell=bash
# The parts of the lab around the databases: names, balancer, metrics, the shop, the boring rest. Included by parts.sh.

names() {
    local t r
    t=$(now_ms)
    write_zone
    spawn knot knotd -c "$DIR/knot/knot.conf"
    await 5 "$LAB_BIN/ask" "127.0.0.1:$KNOT_PORT" "www.$ZONE" || { fail "Knot did not answer within 5 s: $(tail_of knot)"; return 1; }
    part_ready "Knot DNS, zone $ZONE" "$t"
    start_resolvers
    for r in $LAB_RESOLVERS; do
        await 8 "$LAB_BIN/ask" "${r#*=}" "warm.$ZONE" ||
            { fail "Resolver $r did not answer within 8 s: $(tail_of "${r%%=*}")"; return 1; }
    done
    part_ready "8 resolvers" "$t"
}

write_zone() {
    cat >"$DIR/knot/$ZONE.zone" <<ZONE
\$ORIGIN $ZONE.
\$TTL 60
@       60    SOA   ns1 hostmaster 1 60 30 600 5
@       60    NS    ns1
ns1     60    A     127.0.0.1
www     20    A     $EDGE_BLUE
api     20    A     $EDGE_BLUE
img     60    A     $EDGE_BLUE
static  86400 A     $EDGE_BLUE
warm    60    A     $EDGE_BLUE
short   2     A     $EDGE_BLUE
@       60    MX    10 mail
mail    60    A     $EDGE_BLUE
@       60    TXT   "v=spf1 ip4:$EDGE_BLUE ip4:$EDGE_GREEN ip4:127.0.0.1 -all"
_dmarc  60    TXT   "v=DMARC1; p=quarantine; rua=mailto:dmarc@$ZONE"
ZONE
    cat >"$DIR/knot/knot.conf" <<CONF
server:
    rundir: "$DIR/knot"
    listen: 127.0.0.1@$KNOT_PORT
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "$DIR/knot"
key:
  - id: cutover-key
    algorithm: hmac-sha256
    secret: $TSIG_SECRET
acl:
  - id: cutover
    key: cutover-key
    action: [update, transfer]
zone:
  - domain: $ZONE
    storage: "$DIR/knot"
    file: "$ZONE.zone"
    acl: cutover
    zonefile-load: difference
    journal-content: changes
log:
  - target: stderr
    any: info
CONF
}

# Every kind of resolver that a migration meets; each honours TTLs in its own way.
start_resolvers() {
    unbound_resolver 1 ""
    unbound_resolver 2 "cache-min-ttl: 6"
    unbound_resolver 3 "prefetch: yes"
    unbound_resolver 4 "serve-expired: yes
    serve-expired-ttl: 60
    serve-expired-reply-ttl: 5"
    unbound_resolver 8 ""
    spawn r5 dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces --except-interface=none \
        --listen-address=127.0.1.5 --port="$RESOLVER_PORT" --server="/$ZONE/127.0.0.1#$KNOT_PORT" --user="$(id -un)" \
        --pid-file= --log-facility=- --cache-size=500
    bind_resolver 6
    spawn r7 "$LAB_BIN/lossy" "127.0.1.7:$RESOLVER_PORT" "127.0.1.1:$RESOLVER_PORT" 3
}
# They ask from 127.0.0.1 only and refuse every other name: nothing leaves the machine.
unbound_resolver() { # NUMBER LINES
    cat >"$DIR/r$1/unbound.conf" <<CONF
server:
    directory: "$DIR/r$1"
    chroot: ""
    username: ""
    pidfile: ""
    do-daemonize: no
    use-syslog: no
    logfile: ""
    num-threads: 1
    interface: 127.0.1.$1
    port: $RESOLVER_PORT
    outgoing-interface: 127.0.0.1
    do-ip6: no
    access-control: 127.0.0.0/8 allow
    do-not-query-localhost: no
    module-config: "iterator"
    qname-minimisation: no
    local-zone: "." refuse
    local-zone: "test." transparent
    msg-cache-size: 1m
    rrset-cache-size: 1m
    $2
stub-zone:
    name: "$ZONE"
    stub-addr: 127.0.0.1@$KNOT_PORT
    stub-no-cache: no
remote-control:
    control-enable: no
CONF
    spawn "r$1" "$DIR/bin/unbound" -d -c "$DIR/r$1/unbound.conf"
}
# BIND listens only on addresses that an interface bears, and lo bears 127.0.0.1 alone: so this one has its own port.
bind_resolver() { # NUMBER
    cat >"$DIR/r$1/named.conf" <<CONF
options {
    directory "$DIR/r$1";
    pid-file none;
    lock-file none;
    session-keyfile none;
    listen-on port $BIND_PORT { 127.0.0.1; };
    listen-on-v6 { none; };
    query-source address 127.0.0.1;
    allow-query { 127.0.0.0/8; };
    recursion yes;
    dnssec-validation no;
    empty-zones-enable no;
    notify no;
};
controls { };
zone "$ZONE" { type forward; forward only; forwarders { 127.0.0.1 port $KNOT_PORT; }; };
CONF
    spawn "r$1" "$DIR/bin/named" -g -n 1 -c "$DIR/r$1/named.conf"
}

# Two edges with one port, since DNS carries addresses only. Weights decide who serves behind blue's edge.
balancer() {
    local t
    t=$(now_ms)
    cat >"$DIR/haproxy.cfg" <<CONF
global
    stats socket $HAPROXY_SOCKET level admin mode 600
    stats timeout 1h
    maxconn 2000
defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout check 10s
    option forwardfor
    option httpchk GET /ready
    default-server check inter 500 fall 4 rise 1
frontend edge_blue
    bind $EDGE_BLUE:$EDGE_PORT
    http-request deny if { path_beg /admin }
    use_backend reads if METH_GET
    use_backend reads if { method HEAD }
    default_backend writes
frontend edge_green
    bind $EDGE_GREEN:$EDGE_PORT
    http-request deny if { path_beg /admin }
    use_backend reads_green if METH_GET
    use_backend reads_green if { method HEAD }
    default_backend writes_green
backend reads
    server blue 127.0.0.1:$APP_BLUE_PORT weight 100
    server green 127.0.0.1:$APP_GREEN_PORT weight 0
backend writes
    server blue 127.0.0.1:$APP_BLUE_PORT weight 100
    server green 127.0.0.1:$APP_GREEN_PORT weight 0
backend reads_green
    server green 127.0.0.1:$APP_GREEN_PORT weight 100
backend writes_green
    server green 127.0.0.1:$APP_GREEN_PORT weight 100
frontend stats
    bind 127.0.0.1:$STATS_PORT
    http-request use-service prometheus-exporter if { path /metrics }
    stats enable
    stats uri /stats
CONF
    spawn haproxy haproxy -db -q -f "$DIR/haproxy.cfg"
    await 5 http_ok 127.0.0.1 "$STATS_PORT" /metrics || { fail "HAProxy did not answer within 5 s: $(tail_of haproxy)"; return 1; }
    part_ready "HAProxy" "$t"
}

metrics() {
    local t
    t=$(now_ms)
    cat >"$DIR/prometheus/prometheus.yml" <<CONF
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: haproxy
    static_configs:
      - targets: ["127.0.0.1:$STATS_PORT"]
CONF
    spawn prometheus prometheus --config.file="$DIR/prometheus/prometheus.yml" --storage.tsdb.path="$DIR/prometheus/data" \
        --storage.tsdb.retention.time=2h --web.listen-address="127.0.0.1:$PROMETHEUS_PORT"
    await 10 http_ok 127.0.0.1 "$PROMETHEUS_PORT" /-/ready || { fail "Prometheus was not ready within 10 s: $(tail_of prometheus)"; return 1; }
    part_ready "Prometheus" "$t"
}

echo_endpoint() {
    local t
    t=$(now_ms)
    spawn echo "$LAB_BIN/echo" --port "$ECHO_PORT" --log "$DIR/log/webhooks.log"
    await 5 http_ok 127.0.0.1 "$ECHO_PORT" / || { fail "The echo endpoint did not answer within 5 s: $(tail_of echo)"; return 1; }
    part_ready "webhook echo" "$t"
}

shop_app() { # SIDE PORT POOLER_DATABASE_FOR_READS
    local t dsn="host=127.0.0.1 port=$POOLER_PORT user=app passfile=$PGPASSFILE connect_timeout=5"
    t=$(now_ms)
    spawn "app_$1" "$LAB_BIN/shop" --side "$1" --port "$2" --write "$dsn dbname=shop" --read "$dsn dbname=$3" \
        --secret "$DIR/session.secret"
    await 5 http_ok 127.0.0.1 "$2" /ready || { fail "The $1 shop was not ready within 5 s: $(tail_of "app_$1")"; return 1; }
    part_ready "$1 shop" "$t"
}
write_lands() { [[ $(http POST "$EDGE_BLUE" "$EDGE_PORT" '/items?user=0&n=201' 2>/dev/null) =~ ^HTTP/1\.[01]\ 201 ]]; }

# Object storage as two directories (green lacks some files), blue's crontab.
boring_rest() {
    local i f
    for ((i = 1; i <= 30; i++)); do
        f=$(printf 'invoice-%03d.txt' "$i")
        printf 'Invoice %d of the shop\n' "$i" >"$DIR/storage/blue/$f"
        ((i % 4 == 0)) || cp -p "$DIR/storage/blue/$f" "$DIR/storage/green/$f"
    done
    printf '# m h dom mon dow command\n*/5 * * * * /usr/local/bin/shop-invoices --send\n' >"$CRON_FILE"
    printf '# m h dom mon dow command\n#*/5 * * * * /usr/local/bin/shop-invoices --send\n' >"$DIR/cron/green.crontab"
    say "  storage, crontabs        laid out"
}
