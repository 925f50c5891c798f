"""Rows that continue in unusual ways, and statements other than INSERT … VALUES: read, or told, never passed over."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.files.test_sqldump import TABLE, Rows, _standard, skipped, tables_of

from plainview.files.formats.sqldump import read as sqldump

# What stands between two rows. A comment may hold a quote, a comma, a parenthesis, a whole row.
BETWEEN = st.sampled_from(
    [
        ",",
        "\n,",
        "\n\n , \n",
        " ,\n\t",
        ", -- it's\n",
        ",\n-- (9,'x','y'),\n",
        "/* a; (b */,",
        "\r\n,\r\n",
        ",/* it's */\n/**/ ",
        " -- no, it's \n, # why not\n",
    ]
)
END = st.sampled_from(
    [";\n", "\n;\n", "\n\n;\n", ";\r\n", " ;\n", "; -- done; isn't it\n", "\nON CONFLICT (id) DO NOTHING\n;\n"]
)


@pytest.mark.parametrize("block", [None, 50, 300])
def test_rows_continue_however_they_are_joined(block: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if block:
        monkeypatch.setattr(sqldump, "BLOCK", block)
        monkeypatch.setattr(sqldump, "BATCH", 200)

    @given(st.lists(st.tuples(TABLE, BETWEEN, END), min_size=1, max_size=4), st.booleans())
    @settings(max_examples=60, deadline=None)
    def law(statements: list[tuple[Rows, str, str]], other: bool) -> None:
        text = "PRAGMA foreign_keys=OFF;\n"
        wanted: Rows = []
        quoted = any("'" in between + end for _, between, end in statements)
        for rows, between, end in statements:
            if quoted and "INSERT" in str(rows):
                continue  # a quote in a comment and a whole statement in a string: told, if at all
            joined = between.join("(" + ",".join(map(_standard, row)) + ")" for row in rows)
            text += f"INSERT INTO t VALUES\n{joined}{end}"
            wanted += rows
            if other:
                text += "INSERT INTO u VALUES (1,'u');\n"
        tables, log = tables_of(text)
        assert not log.skipped
        found = (
            [tuple(None if cell in ("NULL", "null") else cell for cell in row) for row in tables["t"].rows()]
            if wanted
            else []
        )
        plain = [tuple(None if cell in (None, "NULL", "null") else str(cell) for cell in row) for row in wanted]
        texts = [tuple("\\x" + c.hex() if isinstance(c, bytes) else c for c in row) for row in found]
        assert sorted(texts, key=repr) == sorted(plain, key=repr)

    law()


@pytest.mark.parametrize(
    ("dump", "table", "columns", "rows"),
    [
        ("UPSERT INTO t (id, mail) VALUES (1, 'a'), (2, 'b');", "t", ["id", "mail"], [("1", "a"), ("2", "b")]),
        ("MERGE INTO t (id, mail) KEY(id) VALUES (1, 'a');", "t", ["id", "mail"], [("1", "a")]),
        ("INSERT INTO t VALUES ROW(1, 'a'), ROW(2, 'b');", "t", ["column_1", "column_2"], [("1", "a"), ("2", "b")]),
        ("INSERT INTO t -- why\n(id, mail) /* ' */ VALUES (1, 'a');", "t", ["id", "mail"], [("1", "a")]),
        ("INSERT INTO t (id, mail) OUTPUT inserted.id VALUES (1, 'a');", "t", ["id", "mail"], [("1", "a")]),
        ("INSERT INTO t SET id = 1, mail = 'a';", "t", ["id", "mail"], [("1", "a")]),
        ("INSERT INTO t (id, mail)\nSELECT 1, 'a' UNION ALL\nSELECT 2, 'b';", "t", ["id", "mail"], [("1", "a"), ("2", "b")]),
        ("INSERT INTO t SELECT 1 AS id, 'a' mail FROM dual;", "t", ["id", "mail"], [("1", "a")]),
        ("CREATE TABLE t AS VALUES (1, 'a');", "t", ["column_1", "column_2"], [("1", "a")]),
        ("CREATE TABLE t AS SELECT * FROM (VALUES (1, 'a')) v (id, mail);", "t", ["id", "mail"], [("1", "a")]),
        ("WITH v (id, mail) AS (VALUES (1, 'a')) INSERT INTO t SELECT * FROM v;", "t", ["id", "mail"], [("1", "a")]),
        ("MERGE t USING (VALUES (1, 'a')) AS s ([id], [mail]) ON 1 = 1;", "t", ["id", "mail"], [("1", "a")]),
        ("UPDATE t SET mail = 'a' WHERE id = 1;", "t", ["mail", "id"], [("a", "1")]),
        ("CALL t(1, 'a');\nCALL t(2, 'b');", "t", ["column_1", "column_2"], [("1", "a"), ("2", "b")]),
        ("EXEC t @id = 1, @mail = N'a';", "t", ["id", "mail"], [("1", "a")]),
        ("EXECUTE dbo.t 1, 'a';", "dbo.t", ["column_1", "column_2"], [("1", "a")]),
        ("SELECT t(1, 'a');", "t", ["column_1", "column_2"], [("1", "a")]),
        ("BEGIN INSERT INTO t VALUES (1, 'a'); END;", "t", ["column_1", "column_2"], [("1", "a")]),
        ("BEGIN\n  t(p_id => 1, p_mail => 'a');\nEND;\n/", "", [], []),
        ("IF NOT EXISTS (SELECT 1 FROM t WHERE id = 1) INSERT INTO t (id, mail) VALUES (1, 'a');", "t", ["id", "mail"], [("1", "a")]),
    ],
)  # fmt: skip
def test_statements_of_another_form_are_rows_as_well(
    dump: str, table: str, columns: list[str], rows: list[tuple[str, ...]]
) -> None:
    tables, log = tables_of(f"CREATE TABLE x (a text DEFAULT 'b');\n{dump}\nINSERT INTO x VALUES ('after');\n")
    if table:
        assert skipped(log) == []
        assert tables[table].columns == columns
        assert tables[table].rows() == rows
    assert tables["x"].rows() == [("after",)]


@pytest.mark.parametrize(
    "statement",
    [
        "DO $$ BEGIN INSERT INTO t VALUES (1, 'a'); END $$;",
        "DECLARE @mail nvarchar(10) = N'a';",
        "DELETE FROM t WHERE mail IN ('a', 'b');",
        "EXECUTE ('INSERT INTO t VALUES (1)');",
        "(1, 'a', 'b');",
        ", (1, 'a');",
        "anna sent 'this';",
        "LOAD DATA INFILE 'x' INTO TABLE t;",
        "COPY t FROM '/tmp/x';",
        "\\copy t from 'people.csv' csv",
        "\\i other.sql",
        "@other.sql",
        "INSERT INTO t SELECT 'a', name FROM u;",
    ],
)
def test_a_statement_with_strings_that_is_not_read_is_told(statement: str) -> None:
    tables, log = tables_of(f"INSERT INTO x VALUES (1);\n{statement}\nINSERT INTO x VALUES (2);\n" + "-- \n" * 40)
    assert len(log.skipped) == 1
    assert ": line 2" in skipped(log)[0]
    assert tables["x"].rows() == [("1",), ("2",)]


PLAIN = """SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);
COMMENT ON TABLE x IS 'it''s a comment';
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE VIEW v AS SELECT 'active' AS state;
CREATE USER u IDENTIFIED BY 'secret';
ALTER TABLE x ALTER COLUMN a SET DEFAULT 'b';
GRANT ALL ON *.* TO 'u'@'localhost';
EXEC sys.sp_addextendedproperty @name=N'MS_Description', @value=N'a table';
PRINT 'done';
SELECT pg_catalog.setval('public.x_id_seq', 3, true);
IF EXISTS (SELECT * FROM sys.objects WHERE name = 'x') DROP TABLE x;
"""


def test_definitions_and_settings_are_no_rows() -> None:
    tables, log = tables_of(PLAIN + "INSERT INTO x VALUES (1);\n")
    assert skipped(log) == []
    assert list(tables) == ["x"]


@pytest.mark.parametrize(
    "change",
    [
        "\\connect {}",
        "\\c {} me",
        "\\connect -reuse-previous=on \"dbname='{}'\"",
        "USE {};",
        "USE [{}]\nGO",
        "SET search_path = {}, pg_catalog;",
        "SET SCHEMA {};",
        "ALTER SESSION SET CURRENT_SCHEMA = {};",
    ],
)
def test_tables_of_one_name_in_two_databases_stay_apart(change: str) -> None:
    part = "CREATE TABLE users (id int);\nINSERT INTO users VALUES ({0});\n"
    dump = "".join(change.format(name) + "\n" + part.format(at) for at, name in enumerate(("first", "second")))
    tables, log = tables_of(dump)
    assert skipped(log) == []
    assert {name: frame.rows() for name, frame in tables.items()} == {"users": [("0",)], "second.users": [("1",)]}


@pytest.mark.parametrize(
    "create",
    [
        "CREATE CACHED TABLE t(id int, mail text);",
        "CREATE MULTISET VOLATILE TABLE t (id int, mail text);",
        "CREATE OR REPLACE TRANSIENT TABLE t (id int, mail text);",
        "CREATE EXTERNAL TABLE IF NOT EXISTS t (id int, mail text);",
        "CREATE TABLE t ON CLUSTER c (id int, mail text);",
        "CREATE TABLE p (id int, mail text);\nCREATE TABLE t LIKE p;",
        "CREATE TABLE p (id int, mail text);\nCREATE TABLE t (LIKE p INCLUDING ALL);",
        "CREATE TABLE p (id int, mail text);\nCREATE TABLE t PARTITION OF p FOR VALUES FROM ('a') TO ('b');",
    ],
)
def test_every_kind_of_create_table_names_the_columns(create: str) -> None:
    tables, log = tables_of(f"{create}\nINSERT INTO t VALUES (1, 'a');\n")
    assert skipped(log) == []
    assert tables["t"].columns == ["id", "mail"]
