"""Sends a course to workers, as files and plain data, and makes a run's configuration of it there.

Files keep their places below the folder that holds them all, so that the worker finds from the
rubric what the head found.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from grader import checks, rubric
from grader.cluster.parcels import pack_parcel, unpack_parcel
from grader.folder import OutputFolder
from grader.gradebook.course_records import LocationOverrides
from grader.model import Limits, Rubric
from grader.people import People
from grader.pipeline import SessionOptions
from grader.pipeline.run_config import RunConfig
from grader.pipeline.supplied_files import list_course_files

_PEOPLE = TypeAdapter(People)
_OVERRIDES = TypeAdapter(LocationOverrides)
COURSE = "course"
"""The folder of the course, in the folder of a worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseBundle:
    """A course, ready to be sent."""

    packed: bytes
    places: dict[Path, str]
    """Where files of the course will be on a worker, by their path here."""


def bundle_course(config: RunConfig) -> CourseBundle:
    """Pack all that a worker needs to grade by: rubric, references, files, people and seed."""
    paths = sorted(set(_course_files(config.rubric)))
    root = Path(os.path.commonpath([path.parent for path in paths]))
    blobs: dict[str, bytes] = {}
    files: dict[str, str] = {}
    for path in paths:
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        files[path.relative_to(root).as_posix()] = digest
    document = {
        "rubric": config.rubric.path.resolve().relative_to(root).as_posix(),
        "limits": asdict(config.rubric.limits),
        "seed": config.seed.hex(),
        "overrides": _OVERRIDES.dump_python(config.overrides),
        "people": _PEOPLE.dump_python(config.people),
        "show_ids": config.folder.show_ids,
        "out": config.folder.path.name,
        "files": files,
    }
    places = {path: path.relative_to(root).as_posix() for path in paths}
    return CourseBundle(packed=pack_parcel(document, blobs), places=places)


def unbundle_course(packed: bytes, *, folder: Path, session: SessionOptions) -> RunConfig:
    """Write the files of a course to a worker's folder; return what its submissions are graded by.

    Raises:
        RubricError: the rubric is not valid here, for lack of a module say.
    """
    parcel = unpack_parcel(packed)
    document, root = parcel.document, folder / COURSE
    for name, digest in document["files"].items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(parcel.blobs[digest])
    loaded = rubric.load_rubric(root / document["rubric"], catalog=checks.load_checks)
    return RunConfig(
        rubric=loaded.with_limits(Limits(**document["limits"])),
        seed=bytes.fromhex(document["seed"]),
        # Nothing is graded into it: its name is what sentences about the log of faults name.
        folder=OutputFolder(folder / document["out"], show_ids=document["show_ids"]),
        session=session,
        overrides=_OVERRIDES.validate_python(document["overrides"]),
        people=_PEOPLE.validate_python(document["people"]),
        python=session.environment.python,
    )


def _course_files(loaded: Rubric) -> Iterator[Path]:
    """Yield the files of a course, each where its rubric is found to name it."""
    path = loaded.path.resolve()
    yield path
    for part in loaded.whole:
        yield Path(os.path.abspath(part.reference))  # noqa: PTH100 (links stay as they are named)
        yield from list_course_files(part).values()
    own_folder = path.parent / loaded.id
    for file in own_folder.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file
