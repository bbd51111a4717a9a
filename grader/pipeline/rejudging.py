"""Judges a class again from stored traces: no kernel, and the scores that changed."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, field, replace

from grader.errors import UsageError
from grader.folder import ClassPublisher, OutputFolder, SubmissionSummary, Summaries
from grader.gradebook import Gradebook
from grader.model import Graded, Submission, Trace
from grader.pipeline import Notify
from grader.pipeline.judge import Extraction
from grader.pipeline.location_overrides import apply_override_file
from grader.pipeline.remembered_inputs import register_people, require_seed
from grader.pipeline.run_config import ResultWriter, RunConfig, load_rubric
from grader.pipeline.test_replay import TestReplayer
from grader.pipeline.workers import exit_with_parent
from grader.report.score_changes import ScoreChange, score_changes
from grader.settings import Settings

MIN_PER_PROCESS = 60
"""Submissions below which starting one more process takes longer than it saves."""
CHUNK = 16
"""Submissions that a process takes at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejudgeResult:
    """The outcome of judging some submissions again."""

    count: int = 0
    changes: tuple[ScoreChange, ...] = ()
    needs_rerun: tuple[str, ...] = ()
    """Submissions that must run again, since a check needs a new question."""
    unanswered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By test that asks something new: those of them that were judged, with what it gave before."""
    summaries: Summaries = field(default_factory=dict)
    """Summaries of those that were judged, so that publishing need not read them again."""


class Rejudger:
    """Judges submissions again by one configuration."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        judges = config.build_judges()
        self._judges = {judge.rubric.notebook: judge for judge in judges}
        self._whole = config.build_whole_judge(judges)
        self._keys = config.cache_keys(*judges)
        self._replayer = TestReplayer(config.rubric, python=config.python)

    def close(self) -> None:
        """End the process that replays tests, if there is one."""
        self._replayer.close()

    def rejudge(
        self,
        names: Iterable[str],
        *,
        current: Mapping[str, Submission] | None = None,
        keep_unanswered: bool = True,
    ) -> RejudgeResult:
        """Judge submissions from the gradebook, and write their files.

        Args:
            names: which ones.
            current: the same as they are found now, if somebody has looked; else as they were.
            keep_unanswered: whether a submission that must run for one of its tests is judged in
                all else; not where it is run at once.
        """
        changes: list[ScoreChange] = []
        needs_rerun: list[str] = []
        unanswered: dict[str, tuple[str, ...]] = {}
        summaries: Summaries = {}
        with self._config.folder.open_gradebook() as book:
            writer = ResultWriter(self._config, book=book)
            stored_keys = book.cache_keys()
            for name in names:
                before = book.graded(name)
                submission = (current or {}).get(name, before.submission)
                tests: list[str] = []
                stored_key = stored_keys[name]
                graded = self._judge_again(
                    replace(before, submission=submission),
                    book,
                    key=stored_key,
                    unanswered=tests if keep_unanswered else None,
                )
                if graded is None or tests:
                    needs_rerun.append(name)
                if graded is None:
                    continue
                unanswered |= {test: (*unanswered.get(test, ()), name) for test in tests}
                make_key = self._keys.pending_key if tests else self._keys.rejudged_key
                key = make_key(stored_key, submission=submission)
                marked = writer.write_conclusion(graded, cache_key=key)
                summary = SubmissionSummary.from_graded(marked.graded, rubric=self._config.rubric)
                summaries[name] = ((key, marked.mark_revision), summary)
                changes += score_changes(before, marked.graded)
        return RejudgeResult(
            count=len(summaries),
            changes=tuple(changes),
            needs_rerun=tuple(needs_rerun),
            unanswered=unanswered,
            summaries=summaries,
        )

    def _judge_again(
        self, before: Graded, book: Gradebook, *, key: str, unanswered: list[str] | None
    ) -> Graded | None:
        """Return the new grade; None where a check needs a question that was never asked.

        Tests that ask something new, and so are judged as they were, are put into `unanswered`;
        where that is None, a test needs its question as any check does.
        """
        submission, trace = before.submission, book.trace(before.submission.name)
        same_extraction = self._keys.has_same_extraction(key, submission=submission.name)
        if trace is None:
            judge = self._whole or next(iter(self._judges.values()))
            return judge.with_enrollment(before, submission=submission)
        cached = _stored_extraction(before, trace) if same_extraction else None
        if self._whole is None:
            return self._judge_notebook(
                "", trace, submission=submission, cached=cached, unanswered=unanswered
            )
        return self._whole.judge_again(
            before,
            trace,
            judge_part=lambda notebook, part: self._judge_notebook(
                notebook, part, submission=submission, cached=cached, unanswered=unanswered
            ),
        )

    def _judge_notebook(
        self,
        notebook: str,
        trace: Trace,
        *,
        submission: Submission,
        cached: Extraction | None,
        unanswered: list[str] | None,
    ) -> Graded | None:
        """Judge one notebook of a submission again; None where it must run."""
        judge = self._judges[notebook]
        replayed = self._replayer.refresh(trace, judge.checks, reference=judge.reference)
        if unanswered is not None:
            unanswered += replayed.unanswered
        elif replayed.unanswered:
            return None
        trace = replayed.trace
        evidence = judge.evidence(submission, trace)
        question_ids = {question.id for question in judge.checks.questions}
        constant_ids = {question.id for question in judge.checks.constant_questions}
        if question_ids - trace.observations.keys() or constant_ids - trace.expected.keys():
            return None
        if judge.checks.counter_questions(evidence):
            return None
        if cached is not None:
            items = {item.id for item in judge.rubric.items}
            own = {item: answer for item, answer in cached.answers.items() if item in items}
            cached = replace(cached, answers=own)
        return judge.conclude(submission, evidence, cached=cached)


def _stored_extraction(before: Graded, trace: Trace) -> Extraction | None:
    provenance = before.provenance
    if provenance is None or provenance.notebook != trace.notebook.sha256:
        return None  # it was extracted from another notebook
    return Extraction(students=before.named, answers=before.answers)


def rejudge_class(settings: Settings, *, notify: Notify) -> tuple[RejudgeResult, bool]:
    """Judge everything in a folder that `grade` wrote, and write its files.

    Args:
        settings: the folder, the rubric, and new files about people.
        notify: called with sentences about people, and about what a person should look at.

    Returns:
        What changed, and whether a person should look at something.

    Raises:
        UsageError: the folder holds no gradebook, or none of this assignment.
        RubricError: the rubric is not valid.
    """
    loaded = load_rubric(settings.root, assignment=settings.assignment)
    folder = OutputFolder.open_existing(settings.out, show_ids=settings.people.show_ids)
    with folder.open_gradebook() as book:
        names = book.graded_names()
        config = RunConfig(
            rubric=loaded,
            seed=require_seed(book, loaded.id, folder=folder.path),
            folder=folder,
            python=settings.python,
            overrides=apply_override_file(
                book,
                loaded,
                file=settings.location_overrides,
                names=dict(zip(names, names, strict=True)),
                notify=notify,
            ),
            people=register_people(book, rubric=loaded, files=settings.people, notify=notify),
        )
    rejudged = rejudge_in_parallel(config, names, jobs=settings.jobs)
    with folder.open_gradebook() as book:
        publisher = ClassPublisher(folder, book=book, rubric=loaded, known=dict(rejudged.summaries))
        view = publisher.publish()
    for remark in view.remarks:
        notify(remark)
    return rejudged, view.needs_person or bool(rejudged.needs_rerun)


def rejudge_in_parallel(config: RunConfig, names: Sequence[str], *, jobs: int) -> RejudgeResult:
    """Judge in this process, and in others where that is faster; the result keeps the order.

    Raises:
        UsageError: a process was killed, or the folder can't be written.
    """
    with closing(Rejudger(config)) as rejudger:
        return _rejudge_in_parallel(config, rejudger, names, jobs=jobs)


def _rejudge_in_parallel(
    config: RunConfig, rejudger: Rejudger, names: Sequence[str], *, jobs: int
) -> RejudgeResult:
    process_count = min(jobs - 1, len(names) // MIN_PER_PROCESS)
    if process_count < 1:
        return rejudger.rejudge(names)
    chunks = [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
    remaining = deque(enumerate(chunks))
    results: dict[int, RejudgeResult] = {}

    def judge_remaining(judge_chunk: Callable[[Sequence[str]], RejudgeResult]) -> None:
        while remaining:
            try:
                index, chunk = remaining.popleft()
            except IndexError:
                return  # another thread took the last
            results[index] = judge_chunk(chunk)

    with (
        ProcessPoolExecutor(
            process_count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_process,
            initargs=(config,),
        ) as processes,
        ThreadPoolExecutor(process_count) as threads,
    ):
        waiting = [
            threads.submit(
                judge_remaining, lambda chunk: processes.submit(rejudge_chunk, chunk).result()
            )
            for _ in range(process_count)
        ]
        try:
            judge_remaining(rejudger.rejudge)  # since processes take seconds to start
            for thread in waiting:
                thread.result()
        except BrokenProcessPool as error:
            raise UsageError("a grader process was killed; run the command again") from error
        finally:
            remaining.clear()
    in_order = [results[index] for index in range(len(chunks))]
    return RejudgeResult(
        count=sum(result.count for result in in_order),
        changes=tuple(change for result in in_order for change in result.changes),
        needs_rerun=tuple(name for result in in_order for name in result.needs_rerun),
        unanswered={
            test: tuple(name for result in in_order for name in result.unanswered.get(test, ()))
            for test in dict.fromkeys(test for result in in_order for test in result.unanswered)
        },
        summaries={k: summary for result in in_order for k, summary in result.summaries.items()},
    )


_process_rejudger: Rejudger | None = None
"""The rejudger of a pool process, made once: it reads the reference and our own sources."""


def _start_process(config: RunConfig) -> None:
    global _process_rejudger  # noqa: PLW0603 (an initializer can hand over nothing else)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    exit_with_parent()
    _process_rejudger = Rejudger(config)


def rejudge_chunk(names: Sequence[str]) -> RejudgeResult:
    """Judge some submissions in a process of the pool."""
    if _process_rejudger is None:
        raise RuntimeError("this is not a process of the pool")
    return _process_rejudger.rejudge(names)
