"""Reads the configuration of an assignment of otter-grader's: what counts, and what is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement, Requirement

from grader.errors import UsageError
from grader.model import Unsettled

CONFIG, REQUIREMENTS, ENVIRONMENT = "otter_config.json", "requirements.txt", "environment.yml"
MAX_SEED = 2**32
SEED_KEYS = frozenset({"seed", "seed_variable"})
_AUTOGRADER_KEYS = frozenset(
    [
        *("show_stdout", "show_hidden", "show_all_public", "pdf", "token", "course_id", "logo"),
        *("assignment_id", "filtering", "pagebreaks", "debug", "autograder_dir", "lang", "zips"),
        *("miniconda_path", "print_summary", "print_score", "log_level", "assignment_name"),
        *("warn_missing_pdf", "force_public_test_summary", "use_submission_pdf", "pdf_via_html"),
        "submit_blank_pdf_on_export_failure",
    ]
)
"""Keys that say where and how an autograder runs and what it shows; no score depends on them."""
_MASTER_KEYS = frozenset(
    [
        *("overwrite_requirements", "run_tests", "solutions_pdf", "template_pdf", "init_cell"),
        *("check_all_cell", "export_cell", "save_environment", "ignore_modules", "runs_on"),
        *("show_question_points", "python_version", "channel_priority_strict"),
        "suppress_no_tests_warning",
    ]
)
"""The same of a master notebook: what it gives to students, and how."""
READ_MASTER_KEYS = frozenset(
    [
        *("name", "config_file", "requirements", "environment", "seed", "generate", "files"),
        *("autograder_files", "student_files", "tests", "strip_solutions_from_all_cells"),
    ]
)
_OWN_PACKAGES = frozenset(
    {"python", "pip", "jupyter-server", "nb-conda-kernels", "otter-grader", "jupyter-client"}
)
"""What otter-grader itself puts into every environment."""

_SECRET = re.compile("token|secret|password|key", re.IGNORECASE)
"""In the name of an option whose value is for nobody's eyes."""


@dataclass(slots=True)
class OtterOptions:
    """What a configuration says.

    file: what is named as its source.
    """

    file: str
    seed: int | None = None
    seed_variable: str = ""
    unsettled: list[Unsettled] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Keys that change no score, and have no counterpart here."""

    def tell(self, text: str, *, file: str = "") -> None:
        """Leave something to a person."""
        self.unsettled.append(Unsettled(file=file or self.file, text=text))

    def read_autograder(self, config: Mapping[str, object]) -> None:
        """Read the configuration of an autograder."""
        for key, value in config.items():
            if key in _AUTOGRADER_KEYS:
                self.left_out.append(key)
            elif key not in SEED_KEYS and value not in (None, [], {}, False):
                shown = "" if _SECRET.search(key) else f" = {_show(value)}"
                self.tell(f"{key}{shown} was left out")
        self._take_seed(config.get("seed"), variable=config.get("seed_variable"))

    def read_master(self, config: Mapping[str, object]) -> None:
        """Read the configuration of a master notebook, and of the autograder that it wants."""
        for key, value in config.items():
            if key in _MASTER_KEYS:
                self.left_out.append(key)
            elif key not in READ_MASTER_KEYS and value not in (None, [], {}, False):
                self.tell(f"{key} = {_show(value)} was left out")
        autograder = config.get("generate")
        options = dict(autograder) if isinstance(autograder, dict) else {}
        match config.get("seed"):
            case {"variable": str(variable), **seed}:
                options |= {"seed": seed.get("autograder_value"), "seed_variable": variable}
                others = seed.keys() - {"autograder_value", "student_value"}
                for key in sorted(map(str, others)):
                    self.tell(f"seed.{key} = {_show(seed.get(key))} was left out")
            case None:
                pass
            case value:
                self.tell(f"seed = {_show(value)} was left out: it names no variable")
        self.read_autograder(options)

    def _take_seed(self, seed: object, *, variable: object) -> None:
        if seed is None:
            if variable is not None:
                self.tell(f"seed_variable = {_show(variable)} was left out: there is no seed")
            return
        is_number = isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < MAX_SEED
        is_name = variable is None or (isinstance(variable, str) and variable.isidentifier())
        if not is_number or not is_name:
            self.tell(f"seed = {_show(seed)}, seed_variable = {_show(variable)} was left out")
            return
        self.seed, self.seed_variable = int(str(seed)), str(variable or "")

    def read_requirements(self, lines: Iterable[str], *, file: str) -> None:
        """Tell which packages are wanted that are not here, or are in another version."""
        for line in lines:
            text = re.sub(r"(?:^|\s)#.*", "", line).strip()
            if text and (why := _find_lack(text)):
                self.tell(f"it installs {text}, and {why}", file=file)

    def read_environment(self, text: str, *, file: str = ENVIRONMENT) -> None:
        """Read the packages of a conda environment."""
        try:
            environment = yaml.safe_load(text)
        except yaml.YAMLError as error:
            self.tell(f"its YAML was not understood ({error})", file=file)
            return
        table = environment if isinstance(environment, dict) else {}
        for key in table.keys() - {"name", "channels", "dependencies", "prefix"}:
            self.tell(f"{key} = {_show(table[key])} was left out", file=file)
        for entry in table.get("dependencies") or ():
            if isinstance(entry, dict):
                for key in entry.keys() - {"pip"}:
                    self.tell(f"its {key} packages were left out", file=file)
                self.read_requirements(map(str, entry.get("pip") or ()), file=file)
            else:
                self.read_requirements([_as_pip(str(entry))], file=file)


def read_config(text: str, *, file: str) -> Mapping[str, object]:
    """Return the table of a configuration in JSON.

    Raises:
        UsageError: It is none.
    """
    try:
        config = json.loads(text or "{}")
    except ValueError as error:
        raise UsageError(f"{file}: it is not JSON ({error})") from error
    if not isinstance(config, dict):
        raise UsageError(f"{file}: it is not a table")
    return config


def unknown_keys(table: Mapping[Any, object], *known: str) -> Iterator[str]:
    """Yield the keys of a table, with their values, that nobody reads."""
    for key, value in table.items():
        if key not in known:
            yield f"{key} = {_show(value)}"


def _as_pip(text: str) -> str:
    """Return what conda installs as pip writes it: 'numpy=1.26' is any version 1.26.*."""
    name = text.rpartition("::")[2].strip()
    match = re.fullmatch(r"([\w.-]+)\s*=\s*([\w.]+)(?:=\S+)?", name)
    if match is None:
        return re.sub(r"^([\w.-]+)\s+(?=[\d<>=!~])", r"\1", name)
    return f"{match[1]}=={match[2]}.*"


def _find_lack(text: str) -> str:
    """Return what is the matter with a package here, or ''."""
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        return "that was not understood"
    name = re.sub(r"[-_.]+", "-", wanted.name).lower()
    if name in _OWN_PACKAGES or (wanted.marker and not wanted.marker.evaluate()):
        return ""
    try:
        version = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return "it is not installed here"
    return "" if wanted.specifier.contains(version, prereleases=True) else f"{version} is here"


def _show(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
