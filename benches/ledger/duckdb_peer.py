"""Compares two CSV files with DuckDB in two threads: FOLDER OUT. Every row that differs goes to OUT."""

import sys

import duckdb

folder, out = sys.argv[1:]
db = duckdb.connect()
db.execute("SET threads = 2")
db.execute(f"""
    COPY (
        WITH ours AS (
            SELECT payment_intent AS key, COUNT(*) AS rows, ANY_VALUE(amount) AS amount, ANY_VALUE(currency) AS currency,
                   ANY_VALUE(status) AS status, ANY_VALUE(amount_refunded) AS refunded
            FROM read_csv('{folder}/ours.csv') GROUP BY payment_intent
        )
        SELECT COALESCE(ours.key, theirs.payment_intent) AS key
        FROM ours FULL OUTER JOIN read_csv('{folder}/theirs.csv') AS theirs ON ours.key = theirs.payment_intent
        WHERE ours.key IS NULL OR theirs.payment_intent IS NULL OR ours.rows > 1 OR ours.amount <> theirs.amount
           OR ours.currency <> theirs.currency OR ours.status <> theirs.status
           OR ours.refunded <> theirs.amount_refunded
    ) TO '{out}' (HEADER)
""")
