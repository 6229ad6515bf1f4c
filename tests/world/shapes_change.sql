-- Changes of every table and sequence of shapes_schema.sql; :n is a number that no earlier call had (1, 2, 3, ...). For shapes.test.
INSERT INTO by_pk SELECT :n * 1000 + g, 'row ' || g FROM generate_series(1, 50) g;
UPDATE by_pk SET v = v || ' changed' WHERE id % 3 = 0;
UPDATE by_pk SET id = id + 500 WHERE id = :n * 1000 + 50; -- the key itself
DELETE FROM by_pk WHERE id % 10 = 7;

INSERT INTO by_composite SELECT :n * 1000 + g, 'b' || g % 5, 'v' FROM generate_series(1, 50) g;
UPDATE by_composite SET v = v || :n WHERE a % 2 = 0;
UPDATE by_composite SET b = b || '''"\' WHERE a = :n * 1000 + 1;
DELETE FROM by_composite WHERE a % 10 = 3;

INSERT INTO by_text SELECT 'clé "' || :n || '" ' || g, g FROM generate_series(1, 50) g;
UPDATE by_text SET v = v + 1;
UPDATE by_text SET k = upper(k) WHERE v % 9 = 0;
DELETE FROM by_text WHERE v % 11 = 0;

INSERT INTO by_index SELECT :n * 1000 + g, g, 'v' FROM generate_series(1, 50) g;
UPDATE by_index SET v = 'changed' WHERE b % 4 = 0;
UPDATE by_index SET b = -:n WHERE a = :n * 1000 + 2;
DELETE FROM by_index WHERE b % 10 = 9;

INSERT INTO by_full SELECT g % 3, NULL, :n + 0.5 FROM generate_series(1, 9) g;
INSERT INTO by_full VALUES (:n, 'some', NULL), (NULL, NULL, NULL);
UPDATE by_full SET b = 'was null' WHERE a = 1 AND b IS NULL;
DELETE FROM by_full WHERE a = 2 AND v = :n + 0.5;

INSERT INTO full_with_key SELECT :n * 1000 + g, 0, repeat(md5(g::text), 200) FROM generate_series(1, 5) g;
UPDATE full_with_key SET n = n + 1;
INSERT INTO toasted SELECT :n * 1000 + g, 0, repeat(md5(g::text), 200) FROM generate_series(1, 5) g;
UPDATE toasted SET n = n + 1;
INSERT INTO only_inserts SELECT 'line ' || :n || '.' || g FROM generate_series(1, 20) g;

INSERT INTO generated (id, a) SELECT :n * 1000 + g, g FROM generate_series(1, 10) g;
UPDATE generated SET a = a + 1;
INSERT INTO changed (id, kept, "Größe ""m""") SELECT :n * 1000 + g, 'kept', g FROM generate_series(1, 10) g;
UPDATE changed SET "Größe ""m""" = 'NaN' WHERE id % 5 = 0;
INSERT INTO typed VALUES (:n, 'so so', 50, '{1,NULL,3}', ARRAY['a"b', 'c,d', '', 'NULL', '\'], '{"k": [1, "ü\u0041"]}', '\x00ff5c27', '[1,5)', '1 mon -3 days 04:05', 'Infinity', 'NaN',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', true, '2024-02-29 23:59:59.999999+02');
UPDATE typed SET list = list || :n, j = j || '{"more": null}', f = 'NaN', r = 'empty', at = '-infinity';
INSERT INTO no_columns_but_key VALUES (md5('k' || :n)::uuid);

INSERT INTO "Quoted ""table"" d'été" VALUES (:n, 'x');
UPDATE "Quoted ""table"" d'été" SET "from" = "from" || :n;
INSERT INTO "Ünï Schéma"."Dot.ted" VALUES (:n, 'x');
UPDATE "Ünï Schéma"."Dot.ted" SET "c,d" = "c,d" || :n;
INSERT INTO "Ünï Schéma"."back\slash" VALUES (:n, '\x');
UPDATE "Ünï Schéma"."back\slash" SET v = v || '\';
INSERT INTO "select" VALUES (:n, 'x');
INSERT INTO s23456789012345678901234567890123456789012345678901234567890123.t23456789012345678901234567890123456789012345678901234567890123 VALUES (:n, 'one');
INSERT INTO s23456789012345678901234567890123456789012345678901234567890123.t23456789012345678901234567890123456789012345678901234567890124 VALUES (:n, 'other');
INSERT INTO "äöüßäöüßäöüßäöüßäöüßäöüßäöüßäöü" VALUES (:n, 'x');
UPDATE "äöüßäöüßäöüßäöüßäöüßäöüßäöüßäöü" SET v = v || :n;

INSERT INTO parted SELECT :n * 300 + g, (ARRAY['north', 'south', 'east'])[1 + g % 3], 'v' FROM generate_series(1, 30) g;
INSERT INTO parted VALUES (-:n, 'south', 'low');
UPDATE parted SET v = v || :n WHERE id % 2 = 0;
UPDATE parted SET region = 'south' WHERE id = :n * 300 + 2; -- into another leaf
UPDATE parted SET id = id + 1000 WHERE region = 'south' AND id = -:n;
DELETE FROM parted WHERE id % 10 = 4;
TRUNCATE parts.south_high;
INSERT INTO parted VALUES (:n * 300 + 299, 'south', 'after the truncate');

INSERT INTO by_identity (v) SELECT 'x' FROM generate_series(1, 7);
INSERT INTO by_default (v) SELECT 'x' FROM generate_series(1, 7);
INSERT INTO by_serial (v) SELECT 'x' FROM generate_series(1, 7);
DELETE FROM by_serial WHERE id > (SELECT max(id) - 2 FROM by_serial); -- so that the sequence is ahead of its column
SELECT nextval('free'), nextval('down'), nextval('down'), nextval('below'), nextval('round'), nextval('round'), nextval('round_down'), nextval('cached'),
    nextval('"Odd ""name"" d''été, with.dot"'), nextval('"back\slash"'), nextval('"Ünï Schéma"."Zähler"'), nextval('"user"'),
    nextval('s23456789012345678901234567890123456789012345678901234567890123.q23456789012345678901234567890123456789012345678901234567890123') \g /dev/null
SELECT setval('asked', 40 + :n, false), setval('last_but_one', 9223372036854775806), setval('at_its_end', 32767) \g /dev/null
ALTER SEQUENCE parts.restarted RESTART WITH 12;
