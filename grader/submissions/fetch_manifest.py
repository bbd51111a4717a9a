"""The manifest of a folder that was fetched from Canvas: whose each file is, of which attempt."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from grader.errors import UsageError

MANIFEST = "canvas.json"
MAX_MANIFEST_BYTES = 64 * 2**20


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class FetchedStudent(_Record):
    """A student, as Canvas knows them."""

    user: int
    """Canvas's own id."""
    name: str
    id: str = ""
    """The university's: what Canvas calls the SIS id, else the login."""
    login: str = ""
    email: str = ""
    section: str = ""


class FetchedFile(_Record):
    """A file of an attempt."""

    name: str
    """As the student named it."""
    path: str
    """Below the folder."""
    fault: str = ""
    """Why it was not fetched."""


class FetchedSubmission(_Record):
    """The newest attempt of a student or a group."""

    name: str
    students: tuple[FetchedStudent, ...]
    group: str = ""
    attempt: int
    submitted_at: str
    late: bool
    files: tuple[FetchedFile, ...] = ()
    remark: str = ""
    """What was handed in where that is no file, as a sentence."""
    earlier: tuple[str, ...] = ()
    """When earlier attempts were submitted."""
    earlier_notebook: bool = False
    """Whether an earlier attempt has a notebook, and this one has none."""


class CanvasSource(_Record):
    """Where on Canvas submissions come from, and grades go to."""

    url: str
    course: int
    assignment: int

    @property
    def address(self) -> str:
        """The address of the assignment's page."""
        return f"{self.url}/courses/{self.course}/assignments/{self.assignment}"


class FetchManifest(_Record):
    """All that is known of a fetched folder beside its files."""

    source: CanvasSource
    title: str
    complete: bool
    """Whether everything was fetched; a fetch that was killed leaves False."""
    submissions: tuple[FetchedSubmission, ...] = ()


def read_source(folder: Path) -> CanvasSource | None:
    """Return where a folder was fetched from; None where it was not.

    Raises:
        UsageError: Its manifest can't be used.
    """
    path = folder / MANIFEST
    return read_manifest(path).source if path.is_file() and not path.is_symlink() else None


def read_manifest(path: Path) -> FetchManifest:
    """Read a manifest.

    Raises:
        UsageError: It can't be read.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_MANIFEST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    if len(data) > MAX_MANIFEST_BYTES:
        raise UsageError(f"{path}: larger than {MAX_MANIFEST_BYTES // 2**20} MB")
    try:
        return FetchManifest.model_validate_json(data)
    except ValidationError as error:
        raise UsageError(f"{path}: is not a manifest that `grade fetch` wrote") from error
