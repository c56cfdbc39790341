"""The private members of granian that supervision relies on, by name: another version may lack them.

Why they are used: docs/decisions/0025-supervision.md. When this fails after an update, read the new `server/mp.py`
and `server/common.py` of granian before the names here are changed.
"""

import inspect
import multiprocessing

import pytest
from granian._granian import SocketHolder
from granian.server.common import AbstractServer
from granian.server.mp import MPServer, WorkerProcess

# Where each is used: replaced by ours, or called by ours.
REPLACED = {
    "_init_shared_socket": ("self",),
    "_drop_shared_socket": ("self",),
    "_spawn_workers": ("self", "spawn_target", "target_loader"),
    "_serve_loop": ("self", "spawn_target", "target_loader"),
    "signal_handler_interrupt": ("self", "args", "kwargs"),
    "signal_handler_reload": ("self", "args", "kwargs"),
}
CALLED = {
    "_spawn_worker": ("self", "idx", "target", "callback_loader"),
    "shutdown": ("self", "exit_code"),
    "on_startup": ("self", "hook"),
}


@pytest.mark.parametrize(("name", "parameters"), [*REPLACED.items(), *CALLED.items()])
def test_granian_member_has_the_parameters_that_are_relied_on(name: str, parameters: tuple[str, ...]) -> None:
    assert tuple(inspect.signature(getattr(MPServer, name)).parameters) == parameters


@pytest.mark.parametrize(
    ("function", "words", "reason"),
    [
        (AbstractServer._serve, ("self.startup(", "self._serve_loop(", "self.shutdown("), "the order of a life"),
        (AbstractServer.startup, ("self._init_shared_socket()", "self._spawn_workers("), "both are ours"),
        (AbstractServer.shutdown, ("self._drop_shared_socket()", "self._stop_workers()"), "the listener goes first"),
        (AbstractServer._stop_workers, ("self.wrks", ".terminate()", ".kill()", "self.workers_kill_timeout"), "drains"),
        (MPServer._spawn_worker, ("(self._ssp, self._shd), self._sso", "callback_loader"), "how a worker listens"),
        (WorkerProcess.wrap_target, ("sock, _sso = sock", "callback = callback_loader()"), "ours runs in the worker"),
        (MPServer._spawn_wsgi_worker, ("set_sync_signals()", "(sock[0] or sock[1])"), "ready when SIGTERM is handled"),
        (WorkerProcess._spawn, ("self.inner = ", ".Process("), "started without its thread"),
    ],
)
def test_granian_function_does_what_is_relied_on(function: object, words: tuple[str, ...], reason: str) -> None:
    source = inspect.getsource(function)  # type: ignore[arg-type]

    missing = [word for word in words if word not in source]
    assert not missing, f"{reason}: {missing}"


def test_granian_socket_holder_takes_a_descriptor_that_is_not_its_own() -> None:
    holder = SocketHolder(7, False, 128)  # type: ignore[call-arg]  # the stub has no constructor

    assert holder.get_fd() == 7
    assert holder.is_uds() is False


def test_multiprocessing_forks_where_the_service_runs() -> None:
    assert "fork" in multiprocessing.get_all_start_methods()
