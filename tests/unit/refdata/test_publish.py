"""Reference tables in the lake: a version is written once, an attribute that is not wanted is switched off."""

from datetime import UTC, datetime

import polars as pl

from datadock.lake import Lake
from datadock.names import COMMUNES, ORIGINS
from datadock.quality.reference import load_reference
from datadock.refdata import publish_reference

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_version_is_written_once_with_the_iris_of_communes_that_have_but_one(tmp_path):
    lake = Lake(tmp_path)
    assert publish_reference(lake, load_reference(), [], AT) == 2
    assert publish_reference(lake, load_reference(), [], AT) == 0
    communes = pl.read_parquet(lake.files(COMMUNES))
    assert communes["code_insee"].is_unique().all()
    assert communes["reference"].unique().to_list() == [load_reference().version]
    found = {row[0]: row[1:] for row in communes.select("code_insee", "name", "n_iris", "only_iris").iter_rows()}
    assert found["01001"] == ("L'Abergement-Clémenciat", 1, "010010000")
    assert found["33063"][0] == "Bordeaux"
    assert found["33063"][1] > 50
    assert found["33063"][2] is None
    assert found["75101"] == ("Paris 1er Arrondissement", 17, None)


def test_switching_an_attribute_off_writes_its_origin_anew(tmp_path):
    lake = Lake(tmp_path)
    publish_reference(lake, load_reference(), [], AT)
    assert publish_reference(lake, load_reference(), ["sex"], AT) == 1
    origins = pl.read_parquet(lake.files(ORIGINS))
    newest = origins.filter(pl.col("step") == 2)
    assert {row[0]: row[1] for row in newest.select("attribute", "is_on").iter_rows()}["sex"] is False
    assert newest["is_on"].sum() == 5
