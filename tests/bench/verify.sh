#!/usr/bin/env bash
# How fast the comparison of both sides is, without any rest (pace 100), beside what one server needs to hash the same table in one go.
# usage: tests/bench/verify.sh      ROWS=1000000   Servers: BLUE_BIN, GREEN_BIN.
set -u
cd "$(dirname "$0")/../.." || exit 1
: "${B:=build/cc}" "${ROWS:=1000000}"
# shellcheck source=tests/world/switch_round.sh
. tests/world/switch_round.sh
trap pair_down EXIT
pair_up && fresh || exit 1
for side in blue green; do sql $side shop "CREATE TABLE big (id bigint PRIMARY KEY, note text, n int, at timestamptz)"; done
sql blue shop "INSERT INTO big SELECT g, md5(g::text), g, now() FROM generate_series(1, $ROWS) g; ANALYZE"
sed -i 's/^steps = ( /steps = ( { key = "verify"; kind = "pg.verify"; needs = [ ]; pace = 100; tables = [ "public.big" ]; },\n    /' "$DIR/plan.cfg"
step run replicate
said '^done: ' || { tail -n 1 "$DIR/out"; exit 1; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
for i in 1 2 3; do
    began=$(now_ms)
    sql blue shop "SELECT count(*), sum(hashtextextended((ROW(t.at, t.id, t.n, t.note)::text) COLLATE \"C\", 0)::numeric) FROM big t" >/dev/null
    yard=$(($(now_ms) - began)) began=$(now_ms)
    DRIVE_STATE=$DIR/state "$drive" "$DIR/plan.cfg" run verify >"$DIR/out"
    said '^done: ' || { tail -n 1 "$DIR/out"; exit 1; }
    took=$(($(now_ms) - began))
    echo "run $i: $ROWS rows compared on both sides in $took ms ($((ROWS / took)) rows/ms); one server hashes them in one go in $yard ms; ratio $(awk "BEGIN { printf \"%.2f\", $took / $yard }")"
done
