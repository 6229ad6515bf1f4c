-- A line per table and sequence of this database: equal lines on both sides mean equal contents. For shapes.test.
CREATE FUNCTION pg_temp.digest() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    what record;
    line text;
BEGIN
    FOR what IN SELECT c.oid::regclass AS name, relkind FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE relkind IN ('r', 'S') AND nspname NOT IN ('information_schema', 'cutover') AND nspname NOT LIKE 'pg\_%' ORDER BY nspname COLLATE "C", relname COLLATE "C" LOOP
        IF what.relkind = 'S' THEN
            EXECUTE format('SELECT concat_ws('' '', %L, last_value, is_called) FROM %s', what.name, what.name) INTO line;
        ELSE
            EXECUTE format('SELECT concat_ws('' '', %L, count(*), sum(hashtextextended(x::text, 0)::numeric)) FROM ONLY %s x', what.name, what.name) INTO line;
        END IF;
        RETURN NEXT line;
    END LOOP;
END $$;
SET search_path = '';
SET TimeZone = 'UTC';
SELECT pg_temp.digest();
