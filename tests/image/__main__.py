"""Build the image, look into it, start it, answer one hook inside, stop it: `make image-test`.

Needs root, and Debian's buildah and mmdebstrap. Prints one line for each fact and ends with status 1 on a problem.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.image.base import make_bases
from tests.image.building import Buildah, fetch_wheels
from tests.image.content import problems, size
from tests.image.running import Image
from tests.image.service import answer_one_hook, write_site


def main() -> int:
    """Run all steps in a folder that is gone afterwards."""
    missing = [name for name in ("buildah", "mmdebstrap", "unshare", "setpriv") if shutil.which(name) is None]
    if os.geteuid() != 0:
        say("The image is built and started in a chroot: run this as root.")
        return 2
    if missing:
        say(f"Missing: {', '.join(missing)}. On Debian: apt-get install buildah mmdebstrap")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="sii-cds-image-"))
    # Debian is installed below it by a user who must be able to enter.
    folder.chmod(0o755)
    try:
        found = build_and_check(folder)
        for problem in found:
            say(f"problem: {problem}")
        say(f"image: {0 if found else 1} passed, {1 if found else 0} failed")
    finally:
        # Some hundred thousand files: faster than shutil.
        subprocess.run(["rm", "-rf", folder], check=False)
    return 1 if found else 0


def build_and_check(folder: Path) -> list[str]:
    """Build the image, look into it and start it; return what is wrong."""
    begun = time.monotonic()
    build, run = make_bases(folder)
    say(f"bases made in {time.monotonic() - begun:.0f} s")
    buildah = Buildah(folder)
    begun = time.monotonic()
    bases = (buildah.build_base(build), buildah.build_base(run))
    buildah.build_image(bases, fetch_wheels(folder / "wheels"))
    root = buildah.unpacked()
    own, whole = size(root / "opt/sii-cds"), size(root)
    say(f"image built in {time.monotonic() - begun:.0f} s: {whole / 1e6:.0f} MB, {own / 1e6:.0f} of them its own")
    configuration = buildah.configuration()
    return [*problems(root, configuration), *check_inside(folder, root, configuration["Env"])]


def check_inside(folder: Path, root: Path, variables: list[str]) -> list[str]:
    """Start the service in the image twice, as it is and without compiled modules; return what was wrong."""
    configuration, state = folder / "etc", folder / "var"
    configuration.mkdir()
    state.mkdir()
    write_site(configuration, state)
    # On loopback, on a free port: it shares the network of this machine.
    local = {"SII_CDS__SERVER__HOST": "127.0.0.1", "SII_CDS__SERVER__PORT": str(free_port())}
    environment = dict(variable.split("=", 1) for variable in variables) | local
    image = Image(root, environment, configuration, state)
    uncompiled = Image(root, environment | {"PYTHONPYCACHEPREFIX": "/tmp/none"}, configuration, state)  # noqa: S108  inside
    try:
        facts = answer_one_hook(image, folder / "log")
        slow = answer_one_hook(uncompiled, folder / "slow-log")
        say(
            f"started in {facts.listening:.2f} s, first hook answered after {facts.answered:.2f} s, "
            f"{facts.memory / 1000:.0f} MB; without compiled modules {slow.listening:.2f} s"
        )
        return verify(image)
    except AssertionError as problem:
        return [str(problem)]


def verify(image: Image) -> list[str]:
    """Run the other commands a site runs inside."""
    commands = (
        ("sii-cds", "config", "check"),
        ("sii-cds", "audit", "verify"),
        ("sii-cds", "cohort", "validate", "--help"),
        # What a cohort takes is imported when it is used: the extra is there.
        ("python", "-c", "import matplotlib.figure, pyarrow.parquet, scipy.stats"),
    )
    done = [(command, image.run(*command)) for command in commands]
    wrong = [f"{' '.join(command)}: {run.stdout}{run.stderr}" for command, run in done if run.returncode]
    stopped = image.run("python", "-I", "/opt/sii-cds/healthcheck.py")
    return [*wrong, *([] if stopped.returncode == 1 else ["the health check passes without a service"])]


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
