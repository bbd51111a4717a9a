"""Everything that judging needs and no kernel: evidence to a grade, at once or years later."""

from __future__ import annotations

from dataclasses import dataclass

from grader import scoring
from grader.checks import CHECKS, RECORDING, Bound, Draws, Evidence, bind
from grader.checks.recording import read as read_recording
from grader.model import CellStatus, Graded, Notebook, Rubric, Submission, Trace
from grader.notebook import handout_lines, read, students, written_answers
from grader.pipeline.accounts import Origin, code_of_items, flags, notes, provenance
from grader.pipeline.pictures import redrawn

REACHED = frozenset({CellStatus.RAN, CellStatus.RAISED, CellStatus.TIMED_OUT})
"""What became of cells that did run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A rubric with its checks, and what of the reference can be read."""

    rubric: Rubric
    checks: Bound
    draws: Draws
    reference: Notebook
    handout: frozenset[str]
    """Lines of the reference that are nobody's own words."""
    environment: str
    """Where notebooks run: a digest."""

    @classmethod
    def of(cls, rubric: Rubric, *, draws: Draws, environment: str = "") -> Judge:
        """The judge of a rubric."""
        reference = read(rubric.reference)
        return cls(
            rubric=rubric,
            checks=bind(rubric, registry=CHECKS, draws=draws),
            draws=draws,
            reference=reference,
            handout=handout_lines(reference),
            environment=environment,
        )

    def evidence(self, submission: Submission, trace: Trace) -> Evidence:
        """What a run left behind, as checks see it."""
        ran = [run.index for run in trace.record.cells if run.status in REACHED]
        return Evidence(
            notebook=trace.notebook,
            record=trace.record,
            observations=trace.observations,
            recording=read_recording(trace.observations.get(RECORDING.id), cells=ran),
            draws=self.draws,
            attachments=tuple(path.suffix.lower() for path in submission.attachments),
            expected=trace.expected,
        )

    def conclude(self, submission: Submission, evidence: Evidence) -> Graded:
        """The grade."""
        findings = self.checks.judge(evidence)
        score = scoring.score(self.rubric, findings=findings)
        notebook, record = evidence.notebook, evidence.record
        team = students(notebook)
        origin = Origin(rubric=self.rubric, reference=self.reference, seed=self.draws.seed)
        return Graded(
            submission=submission,
            students=team,
            reason=None,
            score=score,
            record=record,
            answers=redrawn(
                written_answers(notebook, items=self.rubric.items, handout=self.handout)
            ),
            code=code_of_items(notebook, rubric=self.rubric, findings=findings),
            flags=flags(score, record=record, team=team),
            notes=notes(notebook),
            provenance=provenance(notebook, record=record, origin=origin),
        )
