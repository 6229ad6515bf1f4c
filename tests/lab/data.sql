-- What blue holds when the lab starts. Green gets all of it by replication.
\set ON_ERROR_STOP on
SET synchronous_commit = off;
INSERT INTO customers (name, mail, joined)
    SELECT 'Customer ' || i, 'c' || i || '@example.test', date '2020-01-01' + i % 1500 FROM generate_series(1, 2000) i;
INSERT INTO orders (customer, cents, note, at)
    SELECT 1 + i % 2000, 100 + i % 90000, repeat(md5(i::text), 8), timestamptz '2024-01-01' + i * interval '1 minute'
    FROM generate_series(1, 20000) i;
INSERT INTO items (user_no, n, body, side) SELECT 0, i, 'from before', 'blue' FROM generate_series(1, 200) i;
ANALYZE;
