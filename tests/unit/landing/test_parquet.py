"""Parquet files: nested records, every scalar as text."""

import datetime as dt
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq


def written(table):
    data = io.BytesIO()
    pq.write_table(table, data)
    return data.getvalue()


def test_nested_records_keep_their_shape_and_scalars_become_text(ground, source):
    lines = [
        {"sku": "A", "quantity": 2, "price": Decimal("9.90")},
        {"sku": None, "quantity": 1, "price": Decimal("0.10")},
    ]
    table = pa.table(
        {
            "order_id": ["1", "2"],
            "lines": pa.array(
                [lines, None],
                pa.list_(pa.struct([("sku", pa.string()), ("quantity", pa.int32()), ("price", pa.decimal128(9, 2))])),
            ),
            "at": pa.array([dt.datetime(2024, 3, 1, 12, tzinfo=dt.UTC), None], pa.timestamp("us", "Europe/Paris")),
            "seen": pa.array([dt.datetime.fromisoformat("2024-03-01T12:00"), None], pa.timestamp("ms")),
            "day": pa.array([dt.date(2024, 3, 1), None]),
            "paid": [True, False],
            "rate": [0.1, 1e20],
            "store": pa.array([{"code": 7}, None], pa.struct([("code", pa.int64())])),
            "label": pa.array(["web", "web"]).dictionary_encode(),
        }
    )
    orders = source("parquet", key="$.order_id")
    ground.land(orders, written(table))
    assert ground.loaded(orders) == [
        (
            1,
            {
                "order_id": "1",
                "lines": [
                    {"sku": "A", "quantity": "2", "price": "9.90"},
                    {"sku": None, "quantity": "1", "price": "0.10"},
                ],
                "at": "2024-03-01T12:00:00.000000Z",
                "seen": "2024-03-01 12:00:00.000000",
                "day": "2024-03-01",
                "paid": "true",
                "rate": "0.1",
                "store": {"code": "7"},
                "label": "web",
            },
        ),
        (
            2,
            {
                "order_id": "2",
                "lines": None,
                "at": None,
                "seen": None,
                "day": None,
                "paid": "false",
                "rate": "1e+20",
                "store": None,
                "label": "web",
            },
        ),
    ]


def test_a_broken_or_empty_file_is_refused_as_a_whole(ground, source):
    orders = source("parquet", key="$.order_id")
    table = pa.table({"order_id": ["1"]})
    for data in (written(table)[:-9], b"PAR1", written(table.slice(0, 0)), b""):
        ground.land(orders, data)
    assert sorted(code for _, code, _ in ground.refused()) == ["broken_parquet"] * 2 + ["empty_file"] * 2


def test_a_key_column_that_is_missing_names_the_columns_there_are(ground, source):
    orders = source("parquet", key="$.order_id")
    ground.land(orders, written(pa.table({"orderid": ["1", "2"], "amount": ["3", "4"]})))
    assert [(reason["code"], reason["found"], reason["expected"]) for [reason] in ground.reasons()] == [
        ("missing_column", "columns orderid, amount", "a column 'order_id' (did you mean 'orderid'?)")
    ] * 2
