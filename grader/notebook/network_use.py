"""Reads what a notebook wants of the network: files that it fetches, errors that there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from grader.model import Notebook

_NETWORK_ERROR = re.compile(
    r"^(?:URLError|gaierror|Connect\w*Error|ConnectTimeout|MaxRetryError|NewConnectionError)\b|"
    r"name resolution|Name or service not known|Network is unreachable|HTTPS?ConnectionPool|"
    r"^(?:\w+\.)*(?:DistNetworkError|LocalEntryNotFoundError|FileURLRetrievalError|CommError)\b|"
    r"Errno (?:95|101|110|113)\b|code: -95\b|(?:[Cc]ould not|unable to|Failed to) resolve|"
    r"\bconnect to '?https?://|^CalledProcessError\W.*\b(?:wget|curl|gdown|clone)\b"
)
"""Matches errors that the lack of a network causes."""
_COMMAND = re.compile(
    r"\b(?:wget|curl|aria2c|gdown)\b[\"']?,?\s+(?=[\w\"'{$<\-])(?=.*(?:(?<!\w)-\w|\w[.:/]\S|[{$]|\w{20}))"
    r"|\b(?:git|gh|svn|hg)\b[\"',\s]+(?:\w+[\"',\s]+)?(?:clone|checkout|export|pull)\b"
    r"|\bkaggle\b[\"',\s]+(?:datasets|competitions|kernels)\b|\bhuggingface-cli\b|\bhf\s+download\b"
)
"""Matches a program that fetches files."""
_CALL = re.compile(
    r"\b(?:urlretrieve|urlopen|(?:requests|httpx|session)\.get|download_url(?:_to_file)?|pooch\.retrieve"
    r"|download_file_from_google_drive|download_and_extract_archive|hf_hub_download"
    r"|snapshot_download|(?:wget|gdown)\.download\w*|dataset_download|clone_from|get_file)\b"
)
"""Matches a function that does."""
_MANY = re.compile(
    r"\b(?:clone|checkout|export|clone_from|snapshot_download|download_folder)\b|gdown\b.*--folder"
)
"""Matches what brings files whose names stand nowhere."""
_QUOTED = re.compile(r"[\"']([^\"'\n]+)[\"']")
_WORD = re.compile(r"[\w.\-]+")
_SHELL_CELL = re.compile(r"\s*%%(?:bash|sh|shell|script|cmd|system)\b")


def is_network_error(text: str) -> bool:
    """Return whether an error, its name and message, is one that the lack of a network causes."""
    return _NETWORK_ERROR.search(text) is not None


def fetches_by_command(source: str) -> bool:
    """Tell whether a cell's code calls a program that fetches files."""
    return any(_COMMAND.search(line) for line in _code_lines(source))


def is_fetched_by(notebook: Notebook, module: str) -> bool:
    """Tell whether a notebook fetches a module, or files of names that it doesn't say."""
    names = {module, f"{module}.py"}
    return any(
        names & set(_WORD.findall(text)) or _MANY.search(text) for text in _fetching_texts(notebook)
    )


def fetches_file(notebook: Notebook, path: str) -> bool:
    """Tell whether a notebook fetches a file, or what its folder comes from."""
    parts = set(PurePosixPath(path).parts) - {"/", ".", ".."}
    return any(parts & set(_WORD.findall(text)) for text in _fetching_texts(notebook))


def fetches_files(notebook: Notebook) -> bool:
    """Tell whether a notebook fetches anything."""
    return any(
        _CALL.search(cell.source) or fetches_by_command(cell.source)
        for cell in notebook.code_cells()
    )


def _fetching_texts(notebook: Notebook) -> Iterator[str]:
    """Yield commands and quoted texts of the cells that fetch something."""
    for cell in notebook.code_cells():
        lines = list(_code_lines(cell.source))
        fetching = [line for line in lines if _COMMAND.search(line)]
        if _CALL.search(cell.source) or any(_QUOTED.search(line) for line in fetching):
            yield from _QUOTED.findall(cell.source)
        if fetching:  # what one command fetches another may unpack
            is_shell = _SHELL_CELL.match(cell.source) is not None
            commands = [line for line in lines if is_shell or line.lstrip().startswith("!")]
            yield from dict.fromkeys([*fetching, *commands])


def _code_lines(source: str) -> Iterator[str]:
    for line in source.replace("\\\n", " ").splitlines():
        if not line.lstrip().startswith("#"):
            yield line
