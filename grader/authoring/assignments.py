"""Loads the assignments of a course's folder, and the options for running their notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader import checks, rubric, sandbox
from grader.authoring.blanking import make_template
from grader.authoring.editable_notebook import EditableNotebook, read_editable_notebook
from grader.authoring.mutants import MutantSet, make_mutants, patched_sources
from grader.authoring.test_plan import SubmissionCase, ValidationPlan, read_plan
from grader.errors import RubricError, UsageError
from grader.model import Mutant, Rubric
from grader.pipeline import SessionOptions
from grader.rubric.rubric_search import RUBRICS_FOLDER
from grader.settings import Settings

REFERENCE_RUNS = 3
"""How often the reference is run, to see that its score does not depend on the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """An assignment with the notebooks by which it is tested."""

    rubric: Rubric
    notebook: EditableNotebook
    plan: ValidationPlan
    mutants: MutantSet

    @classmethod
    def from_rubric(cls, loaded_rubric: Rubric) -> Assignment:
        """Return the assignment of a rubric; nothing is run.

        Raises:
            RubricError: A file of it can't be used.
        """
        notebook, plan = read_editable_notebook(loaded_rubric.reference), read_plan(loaded_rubric)
        try:
            make_template(notebook, blank=loaded_rubric.blank)
        except RubricError as error:
            raise RubricError(f"{loaded_rubric.reference}: {error}") from error
        mutants = make_mutants(notebook, rubric=loaded_rubric, plan=plan)
        return cls(rubric=loaded_rubric, notebook=notebook, plan=plan, mutants=mutants)

    def template(self) -> EditableNotebook:
        """Return the notebook that students get."""
        return make_template(self.notebook, blank=self.rubric.blank)

    def notebook_texts(self, chosen_mutants: Sequence[Mutant]) -> list[str]:
        """Return the contents of the files to run: reference, template, cases, mutants."""
        solved = self.notebook.as_submitted()
        return [
            *[self.notebook.to_json()] * REFERENCE_RUNS,
            self.template().to_json(),
            *(self._case_text(case) for case in self.plan.cases),
            *(
                solved.with_sources(mutant.sources).with_outputs(mutant.outputs).to_json()
                for mutant in chosen_mutants
            ),
        ]

    def _case_text(self, case: SubmissionCase) -> str:
        if case.notebook is not None:
            return case.notebook.read_text(encoding="utf-8")
        from_reference = case.start == "reference"
        start = self.notebook.as_submitted() if from_reference else self.template()
        sources = patched_sources(start, case.patches, context=f"case {case.name}")
        return start.with_sources(sources).to_json()


def load_assignments(root: Path, *, ids: Sequence[str]) -> tuple[Assignment, ...]:
    """Return the assignments of these ids, or all in `rubrics/` without ids; nothing is run.

    Raises:
        UsageError: There is no such assignment.
        RubricError: A file of one can't be used.
    """
    paths = [rubric.find_rubric(root, assignment=assignment_id) for assignment_id in ids] or sorted(
        (root / RUBRICS_FOLDER).glob("*.toml")
    )
    if not paths:
        raise UsageError(
            f"There is no rubric: no {RUBRICS_FOLDER}/*.toml in {root}; see `grade init`."
        )
    catalog = checks.load_checks
    rubrics = (rubric.load_rubric(path, catalog=catalog) for path in dict.fromkeys(paths))
    return tuple(Assignment.from_rubric(part) for loaded in rubrics for part in loaded.whole)


def session_options(settings: Settings) -> SessionOptions:
    """Return how notebooks are run: isolated as students' are, since cases may be theirs."""
    hidden = (settings.root / RUBRICS_FOLDER, settings.root / "reference")
    level = settings.isolation_level
    return SessionOptions(
        environment=sandbox.survey_interpreter(settings.python),
        cache=settings.cache,
        jobs=settings.jobs,
        required_isolation=sandbox.IsolationRequest(
            level=sandbox.IsolationLevel(level) if level else None,
            unsandboxed=settings.unsandboxed,
            hidden_paths=tuple(str(folder.resolve()) for folder in hidden),
        ),
    )
