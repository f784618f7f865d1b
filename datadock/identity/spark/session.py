"""A Spark session for one step: opened late, kept small, gone afterwards with its JVM and its files.

What the session computes is not here.
"""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from datadock.errors import DatadockError
from datadock.identity.spark.similarity import UDFS
from datadock.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_QUIET = """\
rootLogger.level = error
rootLogger.appenderRef.err.ref = err
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = error
appender.err.type = Console
appender.err.name = err
appender.err.target = SYSTEM_ERR
appender.err.layout.type = PatternLayout
appender.err.layout.pattern = %p %c: %m%n
"""
_SHUFFLES_PER_THREAD = 2
_SHUTDOWN_SECONDS = 20


def check_installed() -> None:
    """Refuse where pyspark is not installed.

    Raises:
        DatadockError: Telling how to install it.
    """
    if find_spec("pyspark") is None:
        raise DatadockError(
            "engine: spark is declared, and pyspark is not installed",
            expected="pyspark 4 and Java 17",
            action="pip install 'datadock[spark]' and Java 17, or declare engine: duckdb in identity.yml",
        )


@dataclass(frozen=True)
class Spark:
    """Where a session runs and what it may take.

    Attributes:
        folder: Existing folder for its temporary files; one that the workers of a cluster see as well.
        memory_limit: Memory of the driver, in DuckDB's notation; in local mode that is all the memory.
        threads: Threads of local mode.
        master: Address of a cluster; empty means local mode.
    """

    folder: Path
    memory_limit: str = "2GB"
    threads: int = 2
    master: str = ""


@contextmanager
def open_session(spark: Spark) -> Iterator[SparkSession]:
    """Open a session with the dock's text similarities registered; its JVM ends with it.

    Raises:
        DatadockError: When pyspark is not installed or no Java starts.
    """
    check_installed()
    session = _start(spark)
    try:
        _register(session)
        yield session
    finally:
        session.stop()
        _end_java()


def _options(spark: Spark) -> dict[str, str]:
    from splink.backends.spark import similarity_jar_location

    folder = spark.folder
    log = folder / "log4j2.properties"
    log.write_text(_QUIET, encoding="utf-8")
    java = f"-Dlog4j2.configurationFile={log} -Djava.io.tmpdir={folder}"
    here = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return {
        "spark.app.name": "datadock identity",
        "spark.jars": similarity_jar_location(),
        "spark.driver.memory": spark_memory(spark.memory_limit),
        "spark.driver.extraJavaOptions": java,
        "spark.executorEnv.PYTHONPATH": str(PROJECT_ROOT),
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": str(_SHUFFLES_PER_THREAD * spark.threads),
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        **({} if spark.master else here),
    }


def spark_memory(limit: str) -> str:
    """Return DuckDB's notation of a memory size (``2GB``, ``1.5GiB``, ``512MB``) in Spark's: whole mebibytes.

    Raises:
        DatadockError: When it is none.
    """
    told = re.fullmatch(r"\s*([0-9.]+)\s*([kmgt])i?b\s*", limit.lower())
    if told is None:
        raise DatadockError(
            f"the memory limit {limit!r} cannot be given to Spark",
            expected="a number and a unit: 512MB, 2GB, 1.5GiB",
            action="set DATADOCK_MEMORY_LIMIT to such a size",
        )
    mebibytes = float(told[1]) * 1024 ** ("kmgt".index(told[2]) - 1)
    return f"{max(512, round(mebibytes))}m"


def _start(spark: Spark) -> SparkSession:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(spark.master or f"local[{spark.threads}]").config(map=_options(spark))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            session = builder.getOrCreate()
        except (PySparkRuntimeError, Py4JError, OSError) as error:
            _end_java()
            raise DatadockError(
                f"engine: spark is declared, and Java did not start a session: {str(error).strip().splitlines()[0]}",
                expected="Java 17, as `java` or in JAVA_HOME, and a cluster at DATADOCK_SPARK_MASTER where that is set",
                action="install Java 17 (Debian: openjdk-17-jre-headless), or declare engine: duckdb in identity.yml",
            ) from error
    if not spark.master:
        session.sparkContext.pythonExec = sys.executable  # else whatever `python3` is on the PATH
    return session


def _register(session: SparkSession) -> None:
    from pyspark.sql.functions import arrow_udf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, (function, kind) in UDFS.items():
            session.udf.register(name, arrow_udf(function, kind))


def _end_java() -> None:
    """End the JVM that pyspark would keep, with its memory, until Python ends."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    if gateway is None:
        return
    gateway.shutdown()
    SparkContext._gateway = SparkContext._jvm = None
    process = gateway.proc
    process.stdin.close()
    try:
        process.wait(_SHUTDOWN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
