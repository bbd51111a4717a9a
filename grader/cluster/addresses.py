"""Where workers are: what `--on` says."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.folder import write_atomically

LOCAL = re.compile(r"local(?::([1-9][0-9]{0,2}))?")
TLS = re.compile(r"tls://(?P<host>\[[0-9a-fA-F:]+\]|[^:/\[\]]+):(?P<port>[0-9]{1,5})")
FILE_POLL_S = 0.5
"""Seconds between two looks for a file that the head has yet to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """Where a head meets its workers."""

    local: int = 0
    """Workers that the head starts on its own computer; 0 where they come from elsewhere."""
    host: str = ""
    """The address that the head listens on; '' for the one that other computers see."""
    port: int = 0
    file: Path | None = None
    """Where the head writes its address, for workers that share its disk."""


def parse_meeting(word: str) -> Meeting:
    """Return where a head meets its workers.

    Raises:
        UsageError: the word says nothing of the kind.
    """
    if match := LOCAL.fullmatch(word):
        return Meeting(local=int(match[1] or 2), host="127.0.0.1")
    if match := TLS.fullmatch(word):
        return Meeting(host=match["host"].strip("[]"), port=int(match["port"]))
    if word.endswith(".json"):
        return Meeting(file=Path(word))
    if word.startswith("tcp://"):
        raise UsageError(
            f"{word}: anybody who reaches that port could run programs here, so connections are "
            "encrypted and both ends have a key: tls://HOST:PORT with --tls (`grade cluster keys`)"
        )
    raise UsageError(
        f"{word!r} is not an address of workers: local:N, tls://HOST:PORT or a .json file"
    )


def keys_beside(file: Path) -> Path:
    """Return the folder of the keys for whoever can read a file with an address."""
    return file.with_suffix(".keys")


def write_address(file: Path, address: str) -> None:
    """Write the head's address for workers that share its disk.

    Raises:
        UsageError: the file can't be written.
    """
    try:
        write_atomically(file, json.dumps({"address": address}).encode())
    except OSError as error:
        raise UsageError(f"{file}: cannot be written ({error.strerror})") from error


def read_address(word: str) -> str:
    """Return the address that a worker connects to; wait for a file until the head writes it.

    Raises:
        UsageError: it is no address.
    """
    if not word.endswith(".json"):
        if parse_meeting(word).port == 0:
            raise UsageError(f"{word}: a worker takes tls://HOST:PORT or the head's .json file")
        return word
    while True:
        try:
            return str(json.loads(Path(word).read_text(encoding="utf-8"))["address"])
        except FileNotFoundError:
            time.sleep(FILE_POLL_S)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{word}: has no address of a head in it") from error
