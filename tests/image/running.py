"""The image as a container engine would run it: read-only root, uid 10001, no privileges, process 1 of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

USER: Final = 10001
# $1 is the root file system of the image, $2 what stands at /etc/sii-cds, $3 at /var/lib/sii-cds.
_ENTER: Final = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount --bind "$2" "$1/etc/sii-cds"
mount --bind "$3" "$1/var/lib/sii-cds"
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
mount --bind /dev "$1/dev"
mount -o remount,bind,ro "$1"
root=$1
shift 3
exec setpriv --bounding-set=-all,+sys_chroot,+setuid,+setgid --no-new-privs chroot --userspec=10001:10001 "$root" "$@"
"""


class Image:
    """The unpacked image, its environment, and the two folders a site mounts."""

    def __init__(self, root: Path, environment: Mapping[str, str], configuration: Path, state: Path) -> None:
        """Keep them; nothing is started."""
        self.root = root
        self._environment = dict(environment)
        self._mounts = (root, configuration, state)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside to its end."""
        full = self._command(command)
        return subprocess.run(full, env=self._environment, capture_output=True, text=True, check=False, timeout=60)

    @contextmanager
    def running(self, *command: str, output: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command inside and kill it with all its processes at the end."""
        with output.open("wb") as stream:
            process = subprocess.Popen(
                self._command(command), env=self._environment, stdout=stream, stderr=stream, start_new_session=True
            )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _command(self, command: tuple[str, ...]) -> list[str | Path]:
        # With --kill-child the end of the outer process ends process 1, and so everything inside.
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, "enter"]
        return [*enter, *self._mounts, *command]
