-- What statements call that PostgreSQL has otherwise. Made before the tables, for indexes are on what these give.

-- A text in a body that has a NUL somewhere. PostgreSQL knows none in a text, and SQLite reads a text up to it: so does this, that
-- marks the place. What only looks like one, after a backslash that stands for itself, is none.
CREATE FUNCTION json_text_to_nul(body text, place text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        SELECT CASE json_typeof(found) WHEN 'string' THEN split_part(found #>> '{}', U&'\+10FFFFNUL\+10FFFF', 1)
            ELSE replace(found::text, '\udbff\udfffNUL\udbff\udfff', '\u0000') END
        FROM (SELECT regexp_replace(body, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\udbff\\udfffNUL\\udbff\\udfff', 'g')::json #> place) n (found)
    );
-- A text in a body, by its place.
CREATE FUNCTION json_text(body text, place text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN strpos(body, '\u0000') = 0 THEN body::json #>> place ELSE json_text_to_nul(body, place) END;

-- A text without regard to case, as `indexes/text_search.py` has it; {collation} knows the letters of all languages.
CREATE FUNCTION folded(said text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN upper(said COLLATE {collation});
CREATE FUNCTION contains_text(said text, part text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN strpos(folded(said), folded(part)) > 0;
-- The pattern of LIKE for texts that have a part.
CREATE FUNCTION part_pattern(part text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '%' || replace(replace(replace(folded(part), '\', '\\'), '%', '\%'), '_', '\_') || '%';
