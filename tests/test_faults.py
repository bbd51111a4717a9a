"""Faults of the grader itself leave a trace, and give no secret away."""

import io
import multiprocessing
import queue
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from click.testing import CliRunner
from test_gradebook import trace
from tiny_course import made

from grader import cli, fault_log
from grader.errors import UsageError
from grader.folder import OutputFolder
from grader.gradebook.array_storage import ArrayPacker
from grader.gradebook.stored_records import RecordCodec, _compress, _decompress
from grader.model import Fault, Submission, Trace
from grader.pipeline import GradingSession, open_sessions, workers
from grader.report.flag_text import flag_text
from grader.selfcheck import live_check
from grader.web import background_publisher


@pytest.fixture(autouse=True)
def _fresh_log() -> Iterator[None]:
    fault_log.start_fault_log(debug=False)
    yield
    fault_log.start_fault_log(debug=False)


def fault(message: str = "x is not y") -> Fault:
    """An exception that was raised and caught, two calls deep."""
    try:
        explode(message)
    except ValueError as error:
        return Fault.caught("testing", error)
    raise AssertionError


def explode(message: str) -> None:
    raise ValueError(message)


def test_a_fault_keeps_type_message_and_the_end_of_a_bounded_traceback() -> None:
    caught, long = fault(), fault("x " * 50_000 + "the end")

    assert (caught.where, caught.error) == ("testing", "ValueError: x is not y")
    assert "in explode" in caught.traceback
    assert caught.traceback.startswith("Traceback")
    assert len(long.traceback) == 20_000
    assert long.traceback.endswith("the end\n")
    assert len(long.error) <= 500


@pytest.mark.parametrize(
    "secret",
    [
        "postgresql://grader:open-sesame@db.example/hw5",
        "RunConfig(seed=b'0123456789abcdef\\'\\x00open-sesame', jobs=2)",
        "RunConfig(seed=b'open-sesame')",
        "{'password': 'open-sesame'}",
        "password=open-sesame",
        "secret_token: open-sesame",
        repr(b"open-sesame-in-raw-bytes-of-a-key"),
        "key 6f70656e2d736573616d65" + "ab" * 10,
    ],
)
def test_a_fault_gives_no_secret_away(secret: str) -> None:
    caught = fault(f"failed at {secret} and so on")

    for text in (caught.error, caught.traceback):
        assert "open-sesame" not in text
        assert "6f70656e2d736573616d65" not in text
        assert "failed at" in text


def test_the_log_is_made_at_the_first_fault_and_added_to(tmp_path: Path) -> None:
    fault_log.log_faults_in(tmp_path)
    log = tmp_path / "grader.log"
    assert not log.exists()

    fault_log.report_fault(fault("one"))
    fault_log.report_fault(fault("two"))

    text = log.read_text(encoding="utf-8")
    assert log.stat().st_mode & 0o777 == 0o600
    assert text.index("testing: ValueError: one") < text.index("testing: ValueError: two")
    assert text.count("in explode") == 2
    assert fault_log.log_hint() == f"the traceback is in {tmp_path.name}/grader.log"


def test_a_fault_is_printed_with_debug_and_where_there_is_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fault_log.log_faults_in(tmp_path)
    fault_log.report_fault(fault())
    assert capsys.readouterr().err == ""

    fault_log.print_tracebacks()
    fault_log.report_fault(fault())
    assert "in explode" in capsys.readouterr().err

    fault_log.start_fault_log(debug=False)
    fault_log.report_fault(fault())
    assert "in explode" in capsys.readouterr().err
    assert fault_log.log_hint() == "the traceback is above"


def test_without_a_log_a_fault_is_printed_once_and_what_a_finding_tells_only_with_debug(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = replace(fault("told"), is_told=True)
    for same in (fault("odd"), fault("odd"), told):
        fault_log.report_fault(same)
    printed = capsys.readouterr().err
    assert printed.count("in explode") == 1
    assert "told" not in printed

    fault_log.log_faults_in(tmp_path)
    fault_log.report_fault(told)
    assert "told" in (tmp_path / "grader.log").read_text(encoding="utf-8")
    fault_log.print_tracebacks()
    fault_log.report_fault(told)
    assert "told" in capsys.readouterr().err


def test_a_submission_that_the_grader_fails_on_is_in_the_log_and_its_row_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        explode("seed=b'open-sesame' in postgresql://me:open-sesame@db/x")

    monkeypatch.setattr(open_sessions, "grade_submission", fail)
    fault_log.log_faults_in(tmp_path)
    submission = Submission(name="ada", path=tmp_path / "ada.ipynb", display_path="ada.ipynb")

    prepared: Any = SimpleNamespace(submission=submission, supplied=None)
    judge = SimpleNamespace(with_enrollment=lambda graded, submission: graded)  # noqa: ARG005
    session: Any = SimpleNamespace(judge=judge)
    sessions = open_sessions.OpenSessions(sessions={"": session}, whole=None)
    result = workers.grade_safely(prepared, sessions)

    log = (tmp_path / "grader.log").read_text(encoding="utf-8")
    assert result.grader_fault
    assert result.graded.reason == "the grader failed on it (ValueError); please report this"
    assert [flag_text(flag) for flag in result.graded.flags] == [
        f"{result.graded.reason}; the traceback is in {tmp_path.name}/grader.log"
    ]
    assert "grading ada: ValueError" in log
    assert "in explode" in log
    assert "open-sesame" not in log


@pytest.mark.kernel
def test_a_run_that_fails_on_a_submission_keeps_the_seed_out_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Submission, *, session: GradingSession, **__: Any) -> None:
        explode(f"{session.judge.rng} {session.judge.rng.seed.hex()}")

    course = made(tmp_path)
    course.hand_in("ada")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(open_sessions, "grade_submission", fail)

    code, _ = run_main(monkeypatch, "run", "submissions", "-q")

    log, seed = (course.out / "grader.log").read_text(encoding="utf-8"), course.seed()
    assert code == 1
    assert "in explode" in log
    assert seed
    assert repr(seed)[2:-1] not in log
    assert seed.hex() not in log
    for page in [*course.out.rglob("*.html"), *course.out.rglob("*.json")]:
        assert "in explode" not in page.read_text(encoding="utf-8")


def test_faults_of_other_processes_come_back_as_data_and_are_logged_here(tmp_path: Path) -> None:
    sent: queue.Queue[Any] = queue.Queue()
    fault_log.log_faults_in(tmp_path)
    fault_log.forward_faults(lambda fault: sent.put(("fault", fault)))
    fault_log.report_fault(fault())
    assert not (tmp_path / "grader.log").exists()

    fault_log.start_fault_log(debug=False)
    fault_log.log_faults_in(tmp_path)
    sent.put(("graded", "a grade"))
    pool: Any = object.__new__(workers.WorkerProcesses)
    pool._outbox = sent  # noqa: SLF001 (a pool without processes)

    assert pool._receive() == "a grade"  # noqa: SLF001
    assert "in explode" in (tmp_path / "grader.log").read_text(encoding="utf-8")


def test_a_process_that_can_not_begin_says_why_to_the_one_that_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox: queue.Queue[Any] = queue.Queue()
    monkeypatch.setattr(workers, "open_grading_worker", lambda *_, **__: explode("no"))
    config: Any = SimpleNamespace(out=tmp_path)
    fault_log.log_faults_in(tmp_path)
    reading, writing = multiprocessing.Pipe(duplex=False)
    nothing: Any = None

    workers.run_worker_process(config, 1, nothing, outbox, reading)  # type: ignore[arg-type]
    writing.close()

    (kind, caught), (failed, error) = outbox.get(), outbox.get()
    assert (kind, failed) == ("fault", "failed")
    assert "in explode" in caught.traceback
    assert str(error) == (
        f"a grader process failed (ValueError); the traceback is in {tmp_path.name}/grader.log"
    )


def test_a_fault_in_a_process_of_a_pool_keeps_the_traceback_of_that_process() -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as processes:
        error = processes.submit(int, "no number").exception()

    assert error is not None
    assert "concurrent/futures/process.py" in Fault.caught("judging again", error).traceback


def test_a_page_that_can_not_be_made_is_in_the_log_and_the_next_one_is_made(tmp_path: Path) -> None:
    fault_log.log_faults_in(tmp_path)

    with background_publisher._log_errors():  # noqa: SLF001 (around every page)
        explode("a page")

    assert "in explode" in (tmp_path / "grader.log").read_text(encoding="utf-8")


def test_files_that_can_not_be_written_are_tried_again_less_and_less_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_publisher, "IDLE_S", 0.01)
    publish, pauses = Mock(), list[float]()
    monkeypatch.setattr(
        background_publisher, "ClassPublisher", lambda *_, **__: Mock(publish=publish)
    )
    publisher = background_publisher.BackgroundPublisher(
        OutputFolder(tmp_path), book=Mock(stale_submissions=list), rubric=Mock()
    )

    def fail() -> None:
        pauses.append(publisher._pause_s)  # noqa: SLF001
        raise OSError

    publish.side_effect = fail

    publisher.start()
    publisher.queue_submissions(["a"])
    while len(pauses) < 4:
        time.sleep(0.01)
    publisher.close()

    assert pauses[:4] == [0.02, 0.04, 0.08, 0.16]


def test_a_self_check_that_fails_shows_what_to_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live_check, "_check_session", explode)

    box = live_check.check_live_notebook("Q1")

    assert "ValueError" in box.message
    assert "in explode" in capsys.readouterr().err


def test_a_stored_trace_keeps_faults_and_an_old_one_has_none() -> None:
    codec, packer = RecordCodec(), ArrayPacker()
    run = trace({})
    run = Trace(
        notebook=run.notebook,
        record=run.record,
        observations={},
        expected={},
        faults=(fault(), fault("two")),
    )
    document = codec.encode_trace(run, packer=packer)
    old = {key: value for key, value in _decompress(document).items() if key != "faults"}
    arrays: Any = None

    assert codec.decode_trace(document, arrays=arrays).faults == run.faults
    assert codec.decode_trace(_compress(old), arrays=arrays).faults == ()


def run_main(monkeypatch: pytest.MonkeyPatch, *args: str) -> tuple[int, str]:
    """The exit code and standard error of a command, run here."""
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "argv", ["grade", *args])
    monkeypatch.setattr(sys, "stderr", stderr)
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return int(exit_.value.code or 0), stderr.getvalue()


@pytest.mark.parametrize("args", [("run", "nowhere/", "--debug"), ("--debug", "nowhere/")])
def test_an_error_with_a_sentence_shows_its_traceback_with_debug(
    args: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, error = run_main(monkeypatch, *args)
    plain_code, plain_error = run_main(monkeypatch, "run", "nowhere/")

    assert (code, plain_code) == (2, 2)
    assert "Traceback" in error
    assert "in read_settings" in error
    assert error.endswith(plain_error)
    assert plain_error == "grade: nowhere: no such file or folder\n"


def test_an_error_nobody_expected_leaves_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.settings.read_settings", lambda **_: explode("unexpected"))

    code, error = run_main(monkeypatch, "run", "x", "--out", str(tmp_path / "graded"))
    assert code == 1
    assert "in explode" in error
    assert error.endswith(
        "grade: failed (ValueError); please report this; the traceback is above\n"
    )

    (tmp_path / "graded").mkdir()
    code, error = run_main(monkeypatch, "run", "x", "--out", str(tmp_path / "graded"))
    assert code == 1
    assert error.endswith("please report this; the traceback is in graded/grader.log\n")
    assert "in explode" not in error
    assert "in explode" in (tmp_path / "graded" / "grader.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["run", "again", "mark", "check", "validate"])
def test_commands_that_can_fail_at_length_have_debug(command: str) -> None:
    shown = CliRunner().invoke(cli.cli, [command, "--help"]).output

    assert "--debug" in shown


def test_an_error_of_a_person_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise UsageError("no")

    monkeypatch.setattr("grader.settings.read_settings", refuse)
    code, error = run_main(monkeypatch, "run", "x", "--out", str(tmp_path))

    assert (code, error) == (2, "grade: no\n")
    assert list(tmp_path.iterdir()) == []
