"""sii-cds audit export: files, repositories that refuse, wrong input."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from tests.support.served import served
from tests.unit.audit.samples import audit_log, feedback_record, files_of, hook_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
def log(tmp_path: Path) -> Path:
    directory = tmp_path / "log"
    writer = audit_log(directory, key=None)
    for name in ("first", "second"):
        writer.append(hook_record(request_id=name))
    writer.append(feedback_record())
    return directory


def export(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["audit", "export", *map(str, arguments)])


def test_export_to_a_file_is_ndjson_and_repeats_itself(log: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.ndjson", tmp_path / "b.ndjson"
    for file in (first, second):
        result = export("--fhir", "--directory", log, "--output", file)
        assert (result.exit_code, result.stderr) == (0, "3 events written.\n")

    assert first.read_bytes() == second.read_bytes()
    events = [json.loads(line) for line in first.read_text().splitlines()]
    assert [event["resourceType"] for event in events] == ["AuditEvent"] * 3
    assert first.stat().st_mode & 0o777 == 0o600, "records of patients are their owner's alone"


def test_export_to_standard_output_is_ndjson_alone(log: Path) -> None:
    lines = export("--fhir", "--directory", log).stdout.splitlines()

    assert len([json.loads(line) for line in lines]) == 3


def test_export_names_a_record_that_is_no_valid_event(log: Path, tmp_path: Path) -> None:
    writer = audit_log(log, key=None)
    writer.append(hook_record(request_id="bad", patient="p9", client=""))
    writer.append(hook_record(request_id="good"))

    result = export("--fhir", "--directory", log, "--output", tmp_path / "a.ndjson")

    assert result.exit_code == 1
    assert "is no valid AuditEvent: agent.0.who." in result.stderr
    assert re.search(r"^record \d+: ", result.stderr)
    assert "p9" not in result.stderr
    assert len((tmp_path / "a.ndjson").read_text().splitlines()) == 4, "the others are there"


def test_export_unreadable_line_exit_1(log: Path) -> None:
    file = files_of(log)[0]
    file.write_bytes(file.read_bytes() + b"garbage\n")

    result = export("--fhir", "--directory", log)

    assert result.exit_code == 1
    assert "lines that cannot be read: 1" in result.stderr


class _Repository(BaseHTTPRequestHandler):
    """A FHIR server that keeps what it is sent, and refuses after so many events."""

    kept: ClassVar[list[tuple[str, str, str | None, dict[str, Any]]]]
    most: ClassVar[int]
    refusal: ClassVar[int]
    answer: ClassVar[bytes] = b""
    answer_type: ClassVar[str] = "application/fhir+json"
    refused_id: ClassVar[str | None] = None
    chunk: ClassVar[int] = 0
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        full = len(self.kept) >= self.most or body["id"] == self.refused_id
        if not full:
            self.kept.append((self.command, self.path, self.headers["Authorization"], body))
        self.send_response(self.refusal if full else 201)
        self.send_header("Content-Type", self.answer_type)
        if self.chunk:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(self.answer) if full else 0))
        self.send_header("Location", "http://elsewhere.example/")
        self.end_headers()
        for start in range(0, len(self.answer), self.chunk) if self.chunk else ():
            piece = self.answer[start : start + self.chunk]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n" if self.chunk else self.answer if full else b"")

    do_POST = do_PUT  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def repository(most: int = 99, refusal: int = 503) -> Iterator[tuple[str, type[_Repository]]]:
    handler = type("Handler", (_Repository,), {"kept": [], "most": most, "refusal": refusal})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with served(server):
        yield f"http://127.0.0.1:{server.server_port}/fhir", handler


def test_export_puts_each_event_under_its_id_with_the_token(log: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret-token\n")
    with repository() as (url, handler):
        result = export("--fhir", "--directory", log, "--post", url, "--token-file", tmp_path / "token")

    assert (result.exit_code, result.stdout) == (0, "3 events sent; the newest is record 4.\n")
    assert [(method, path) for method, path, _, _ in handler.kept] == [
        ("PUT", f"/fhir/AuditEvent/{body['id']}") for _, _, _, body in handler.kept
    ]
    assert {token for _, _, token, _ in handler.kept} == {"Bearer secret-token"}
    assert "secret-token" not in result.output


def test_export_create_posts(log: Path) -> None:
    with repository() as (url, handler):
        export("--fhir", "--directory", log, "--post", f"{url}/AuditEvent", "--create")

    assert {(method, path) for method, path, _, _ in handler.kept} == {("POST", "/fhir/AuditEvent")}


@pytest.mark.parametrize("refusal", [503, 401, 302, 429])
def test_export_stops_at_a_repository_that_takes_nothing_and_goes_on_after_it(log: Path, refusal: int) -> None:
    with repository(most=1, refusal=refusal) as (url, handler):
        result = export("--fhir", "--directory", log, "--post", url)
        assert result.exit_code == 1
        assert (
            f"stopped at record 3: the repository answered {refusal}; 1 event sent; go on with --after 2"
            in result.stderr
        )
        handler.most = 99
        again = export("--fhir", "--directory", log, "--post", url, "--after", 2)

    assert (again.exit_code, again.stdout) == (0, "2 events sent; the newest is record 4.\n")
    assert len({path for _, path, _, _ in handler.kept}) == 3


NOT_FOUND = b'{"issue": [{"diagnostics": "HAPI-1094: Resource Patient/pat-1 not found\\u001b[2J"}]}'


@pytest.mark.parametrize("refusal", [400, 404, 412, 422])
def test_export_stops_at_a_refused_record_with_the_words_of_the_repository(log: Path, refusal: int) -> None:
    with repository(most=1, refusal=refusal) as (url, handler):
        handler.answer = NOT_FOUND
        result = export("--fhir", "--directory", log, "--post", url)
        handler.most = 99
        again = export("--fhir", "--directory", log, "--post", url, "--after", 3)

    assert result.exit_code == 1
    assert (
        f'stopped at record 3: the repository answered {refusal}: "HAPI-1094: Resource Patient/pat-1 not found?[2J"; '
        "1 event sent.\n--after 3 goes on without this record, --after 2 tries it again, --skip-refused leaves out "
        "what is refused; --references logical names resources that the repository does not hold\n"
    ) in result.stderr
    assert (again.exit_code, again.stdout) == (0, "1 event sent; the newest is record 4.\n")


def test_export_skip_refused_sends_the_others_lists_the_refused_and_exits_1(log: Path) -> None:
    first = json.loads(export("--fhir", "--directory", log).stdout.splitlines()[0])
    with repository(refusal=422) as (url, handler):
        handler.refused_id = first["id"]
        handler.answer = NOT_FOUND
        result = export("--fhir", "--directory", log, "--post", url, "--skip-refused")

    assert result.exit_code == 1
    assert 'record 2: left out: the repository answered 422: "HAPI-1094' in result.stderr
    assert "records the repository refused: 1 (2)" in result.stderr
    assert len(handler.kept) == 2


@pytest.mark.parametrize(
    ("answer", "media_type", "said", "reason"),
    [
        (b"", "text/plain", "", "nothing said"),
        (b"no room\nleft", "text/plain; charset=utf-8", ': "no room?left"', "plain text, on one line"),
        (b"<html>Bad Gateway</html>", "text/html", "", "a page is nobody's sentence"),
        (b'{"issue": "x"}', "application/json", "", "no OperationOutcome"),
        (b'{"issue": [1, {"details": {"text": "quota"}}]}', "application/json", ': "quota"', "text of the details"),
        (b"[" * 60_000, "application/json", "", "deeper than a parser goes"),
        (b"x" * 2_000, "text/plain", f': "{"x" * 500}"', "the beginning of a long one"),
    ],
)
def test_export_answer_of_the_repository_is_told_as_far_as_it_is_text(
    answer: bytes, media_type: str, said: str, reason: str, log: Path
) -> None:
    with repository(most=0, refusal=507) as (url, handler):
        handler.answer, handler.answer_type = answer, media_type
        result = export("--fhir", "--directory", log, "--post", url)

    assert f"the repository answered 507{said}; 0 events sent" in result.stderr, reason


def test_export_answer_in_small_chunks_is_told_whole(log: Path) -> None:
    with repository(most=0, refusal=422) as (url, handler):
        handler.answer, handler.chunk = NOT_FOUND, 3
        result = export("--fhir", "--directory", log, "--post", url)

    assert "HAPI-1094: Resource Patient/pat-1 not found" in result.stderr


def test_export_repository_that_is_not_there(log: Path) -> None:
    with repository() as (url, _):
        pass

    result = export("--fhir", "--directory", log, "--post", url)

    assert result.exit_code == 1
    assert "stopped at record 2: the repository cannot be reached: ConnectionError; 0 events sent" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ((), 2, "say the form: --fhir"),
        (("--fhir", "--post", "http://audit.example/fhir"), 2, "http is accepted on loopback only; use https"),
        (("--fhir", "--post", "https://u:hunter2@audit.example/fhir"), 2, "holds a user name or password"),
        (("--fhir", "--post", "https://a.example", "--output", "x"), 2, "exclude each other"),
        (("--fhir", "--create"), 2, "need --post"),
        (("--fhir", "--skip-refused"), 2, "need --post"),
        (("--fhir", "--references", "url"), 2, "is not one of 'relative', 'absolute', 'logical'"),
        (("--fhir", "--references", "absolute"), 1, "no client of the configuration has exactly one entry"),
        (("--fhir", "--after", "-1"), 2, "-1 is not in the range"),
        (("--fhir", "--directory", "nowhere"), 1, "the audit log cannot be read: No such file or directory"),
        (("--fhir", "--output", "nowhere/a.ndjson"), 1, "nowhere/a.ndjson: cannot be written: No such file"),
        (("--fhir", "--post", "https://a.example", "--token-file", "none"), 1, "none: the token cannot be read"),
        (("--fhir", "--post", "https://a.example", "--token-file", "two"), 1, "two: holds no token of one line"),
    ],
)
def test_export_wrong_input_one_sentence(
    arguments: tuple[str, ...], code: int, text: str, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two").write_text("one\ntwo\n")
    result = export("--directory", "log", *arguments)

    assert result.exit_code == code
    assert text in result.stderr
    assert "hunter2" not in result.output
    assert "Traceback" not in result.output
