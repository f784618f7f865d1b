"""Where addresses lie and in which IRIS: looked up for what is new, and for what newer files tell otherwise."""

import polars as pl
import pytest

from benchmarks.iris_world import addresses, features, make_world, write_ban, write_contours
from datadock.contact_points import References, update_places
from datadock.contact_points.iris import iris_of_addresses
from datadock.quality.reference import load_reference
from datadock.refdata import current_streets, install_ban, install_iris
from datadock.settings import Settings

TOLD = {"version": "2024", "source": "IGN", "licence": "Licence Ouverte 2.0"}
WORLD = make_world(seed=7, communes=2, fewest=4, most=12)
ROWS = addresses(WORLD, streets=3, numbers=12)


class Ground:
    """A dock with a home of its own, and contacts on the ground of the world."""

    def __init__(self, dock, folder):
        self.dock, self.folder = dock, folder
        self.settings = Settings(home=dock.workspace.lake.root.parent)
        self.places = {code: load_reference().by_insee[code] for code in ROWS["code_insee"].unique()}

    def contact(self, key, line, code, **fields):
        place = self.places[code]
        self.dock.contact(key, address_line=line, postcode=place.codes[0], city=place.name, **fields)

    def contours(self, made=None, version="2024", name="iris.geojson"):
        path = write_contours(self.folder / name, features(WORLD) if made is None else made)
        return install_iris(self.settings, [path], **(TOLD | {"version": version}))

    def ban(self, rows=ROWS):
        return install_ban(self.settings, [write_ban(self.folder / "adresses-99.csv.gz", rows)])

    def run(self):
        self.dock.run(references=References(load_reference(), current_streets(self.settings)))
        return update_places(self.dock.workspace)

    def now(self, *columns):
        """The places that hold, by the line of their address."""
        read = [
            pl.read_parquet(self.dock.workspace.lake.files(name)) for name in ("quality/places", "quality/addresses")
        ]
        latest = [
            frame.sort("generation").unique(key, keep="last")
            for frame, key in zip(read, ("place_id", "value_id"), strict=True)
        ]
        both = latest[0].join(latest[1].select("value_id", "declared_address_line"), on="value_id", how="left")
        return both.select("declared_address_line", *columns).sort("declared_address_line", *columns).rows()


@pytest.fixture
def ground(dock, tmp_path):
    return Ground(dock, tmp_path)


def test_every_address_of_a_world_gets_its_position_and_its_true_iris(ground):
    ground.ban()
    ground.contours()
    for at, row in enumerate(ROWS.iter_rows(named=True)):
        ground.contact(str(at), f"{row['number']} {row['street']}", row["code_insee"])
    report = ground.run()
    count = ROWS.height
    assert (report.looked_at, report.located, report.with_iris, report.written) == (count, count, count, count)
    truth = ROWS.select(
        pl.format("{} {}", "number", "street"), "code_insee", "truth", precision=pl.lit("numero"),
        position_version=pl.lit(ground.now("position_version")[0][1]), iris_version=pl.lit("2024"),
    )  # fmt: skip
    assert ground.now("code_insee", "code_iris", "precision", "position_version", "iris_version") == sorted(
        truth.rows()
    )
    assert ground.now("position_version")[0][1].startswith("adresses-99.csv.gz 20")
    assert ground.run().looked_at == 0


def line(ground, *numbers, street="Rue Droite"):
    """A street that runs east, number n at n thousandths of a degree."""
    code = WORLD[0].code
    rows = [(code, street, number, rep, 2 + number / 1000, 48.0) for number, rep in numbers]
    columns = ["code_insee", "street", "number", "rep", "longitude", "latitude"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def test_a_number_that_is_not_there_is_put_between_its_neighbours_or_in_the_middle(ground):
    ground.ban(line(ground, (2, ""), (10, ""), (10, "bis"), (20, ""), (1, ""), (3, "")))
    asked = ("2", "10 bis", "10 ter", "6", "14", "30", "7", "", "5000")
    for number in asked:
        ground.contact(number, f"{number} rue droite".strip(), WORLD[0].code)
    ground.contact("other", "4 rue inconnue", WORLD[0].code)
    ground.run()
    assert ground.now("longitude", "precision") == [
        ("10 bis rue droite", 2.01, "numero"),
        ("10 ter rue droite", 2.01, "voie"),
        ("14 rue droite", 2.014, "voie"),
        ("2 rue droite", 2.002, "numero"),
        ("30 rue droite", 2.02, "voie"),
        ("5000 rue droite", 2.02, "voie"),
        ("6 rue droite", 2.006, "voie"),
        ("7 rue droite", 2.003, "voie"),
        ("rue droite", 2.0072, "voie"),
    ]


def test_a_street_that_had_to_be_shortened_is_found_by_its_whole_name(ground):
    whole = "Avenue du Maréchal de Lattre de Tassigny et des Combattants"
    ground.ban(line(ground, (3, ""), street=whole))
    ground.contact("1", "3 av du maréchal de lattre de tassigny et des combattants", WORLD[0].code)
    ground.run()
    assert [row[1:] for row in ground.now("longitude", "precision")] == [(2.003, "numero")]


def test_only_what_is_new_or_told_otherwise_is_looked_at(ground):
    ground.contact("1", "1 Rue des Lilas", WORLD[0].code)
    ground.contact("2", "2 Rue des Lilas", WORLD[0].code)
    ground.contact("3", "1 Rue des Acacias", WORLD[1].code)
    assert ground.run().looked_at == 0
    assert ground.dock.workspace.lake.version("quality/places") == -1
    ground.ban()
    report = ground.run()
    assert (report.looked_at, report.written, report.with_iris) == (3, 3, 0)
    assert [row[1] for row in ground.now("reason")] == ["contours_absents"] * 3
    ground.contours()
    report = ground.run()
    assert (report.looked_at, report.written, report.with_iris) == (3, 3, 3)
    ground.contact("4", "2 Rue des Acacias", WORLD[1].code)
    report = ground.run()
    assert (report.looked_at, report.written) == (1, 1)
    moved = (pl.col("street") == "Rue des Acacias") & (pl.col("code_insee") == WORLD[1].code) & (pl.col("number") == 1)
    ground.ban(ROWS.with_columns(pl.when(moved).then(pl.lit(9.0)).otherwise("longitude").alias("longitude")))
    report = ground.run()
    assert (report.looked_at, report.written) == (2, 1)
    assert [row[1] for row in ground.now("reason")] == ["hors_contours", None, None, None]


def test_newer_contours_change_exactly_what_they_touch(ground):
    ground.ban()
    ground.contours()
    for at, row in enumerate(ROWS.iter_rows(named=True)):
        ground.contact(str(at), f"{row['number']} {row['street']}", row["code_insee"])
    ground.run()
    before = ground.now("code_insee", "code_iris", "iris_version")
    assert ground.contours(version="2025", name="again.geojson").change.changed == 0
    assert ground.run().written == 0
    swapped = features(WORLD)
    one, two = swapped[0], swapped[1]
    one["geometry"], two["geometry"] = two["geometry"], one["geometry"]
    change = ground.contours(swapped, version="2026").change
    assert (change.added, change.changed, change.removed) == (0, 2, 0)
    report = ground.run()
    codes = [one["properties"]["code_iris"], two["properties"]["code_iris"]]
    other = dict(zip(codes, reversed(codes), strict=True))
    expected = [(*row[:2], other[row[2]], "2026") if row[2] in other else row for row in before]
    assert ground.now("code_insee", "code_iris", "iris_version") == sorted(expected)
    assert report.written == sum(row[2] in other for row in before) > 0
    gone = [one for one in features(WORLD) if one["properties"]["code_iris"] != codes[0]]
    assert ground.contours(gone, version="2027").change.removed == 1
    ground.run()
    assert {row[1] for row in ground.now("reason") if row[1]} == {"hors_contours"}


def test_a_declared_position_goes_before_that_of_the_ban_and_needs_no_address(ground):
    ground.contours()
    row = ROWS.row(0, named=True)
    code, told = row["code_insee"], {"longitude": row["longitude"], "latitude": row["latitude"]}
    ground.contact("1", "1 rue inconnue", code, **told)
    ground.dock.contact("2", **told)
    ground.contact("3", "2 rue inconnue", code, longitude=0, latitude=0)
    ground.contact("4", "3 rue inconnue", code, longitude=2.5)
    ground.contact("5", "4 rue inconnue", code, longitude=5.0, latitude=95.0)
    other = WORLD[1].code
    ground.contact("6", "1 rue inconnue", other, **told)
    ground.run()
    assert ground.now("precision", "code_insee", "code_iris", "reason") == [
        (None, "declaree", "", row["truth"], None),
        ("1 rue inconnue", "declaree", code, row["truth"], None),
        ("1 rue inconnue", "declaree", other, None, "hors_contours"),
    ]
    ground.ban()
    assert ground.run().written == 0


def test_an_address_that_the_ban_knows_no_more_loses_its_position(ground):
    ground.ban()
    ground.contact("1", "1 Rue des Lilas", WORLD[0].code)
    ground.run()
    ground.ban(ROWS.filter(pl.col("street") != "Rue des Lilas"))
    assert ground.run().written == 1
    assert ground.now("longitude", "code_iris", "reason") == [("1 Rue des Lilas", None, None, "contours_absents")]


def test_the_iris_of_a_set_of_addresses_is_what_a_run_assigns(ground):
    ground.ban()
    ground.contours()
    asked = ROWS.select(address_line=pl.format("{} {}", "number", "street"), code="code_insee", truth="truth")
    told = asked.select(
        "address_line",
        address_extra=pl.lit(None, pl.String),
        postcode=pl.Series([ground.places[code].codes[0] for code in asked["code"]]),
        city=pl.Series([ground.places[code].name for code in asked["code"]]),
        country=pl.lit(None, pl.String),
    )
    single = pl.DataFrame(
        [("3 rue Haute", None, "01400", "L'Abergement-Clémenciat", None)], schema=told.schema, orient="row"
    )
    references = References(load_reference(), current_streets(ground.settings))
    found = iris_of_addresses(ground.dock.workspace, pl.concat([told, single]), references)
    assert found["code_iris"].to_list() == [*asked["truth"], "010010000"]
    assert found["iris_by"].to_list() == ["contours"] * asked.height + ["commune"]
    assert found["precision"].to_list() == ["numero"] * asked.height + [None]
    none = iris_of_addresses(ground.dock.workspace, told.clear(), references)
    assert none.columns == found.columns
