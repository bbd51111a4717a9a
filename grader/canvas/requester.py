"""Requests to Canvas, one at a time: the token goes to Canvas alone, and throttling is waited out.

canvasapi puts requests together and reads pages. What it does not do is done here: it turns
Canvas's "Rate Limit Exceeded" into an error, waits for ever on a silent server, logs bodies, keeps
the last five answers, and sends the token to whatever address it is given.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from canvasapi.exceptions import CanvasException, Forbidden, ResourceDoesNotExist, Unauthorized
from canvasapi.exceptions import InvalidAccessToken as InvalidToken
from canvasapi.paginated_list import PaginatedList
from canvasapi.requester import Requester
from canvasapi.util import combine_kwargs

from grader.canvas.access import CanvasAccess, is_safe, origin_of
from grader.errors import GraderError, UsageError

TIMEOUT_S = (15.0, 120.0)
"""Seconds to connect, and between two parts of an answer."""
MAX_WAIT_S = 600.0
"""Seconds that one request may wait for Canvas, all its tries together."""
LONGEST_PAUSE_S = 60.0
MAX_REDIRECTS = 5
CHUNK_BYTES = 2**16
FORBIDDEN, TOO_MANY_REQUESTS = 403, 429
_BUSY = frozenset({500, 502, 503, 504})
"""Statuses after which reading again may help."""
_RATE_LIMIT_MARK = b"Rate Limit Exceeded"


class DownloadRefused(GraderError):
    """A file can't be fetched; what it was attached to is fetched without it."""


class _TokenForOrigin(requests.auth.AuthBase):  # type: ignore[misc] # requests may not be there
    """Adds the token to requests to one origin; nothing else may add one, as .netrc would."""

    def __init__(self, access: CanvasAccess) -> None:
        self._token = access.token
        self._origin = origin_of(access.url)

    def __call__(self, request: Any) -> Any:
        if origin_of(request.url) == self._origin:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class PatientSession(requests.Session):  # type: ignore[misc] # requests may not be there
    """Sends requests, and sends them again when Canvas asks to wait.

    Args:
        access: where the token goes.
        notify: gets a sentence on each pause.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        access: CanvasAccess,
        *,
        notify: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self.auth = _TokenForOrigin(access)
        self._notify = notify
        self._sleep = sleep

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Send a request; redirects are not followed.

        Raises:
            UsageError: the address is not safe, or Canvas can't be reached, or stays busy.
        """
        if not is_safe(url):
            raise UsageError(f"{_host(url)}: nothing is sent there, since it is not https")
        waited_s, pause_s = 0.0, 1.0
        while True:
            # A write that failed may have been done; one that was throttled was not.
            response = self._try(method, url, retry=method == "GET", options=options)
            if (
                response is not None
                and not _is_throttled(response)
                and not (method == "GET" and response.status_code in _BUSY)
            ):
                return response
            if response is not None:
                response.close()
            asked_s = _retry_after(response)
            pause_s = min(asked_s or pause_s, LONGEST_PAUSE_S)
            if waited_s + pause_s > MAX_WAIT_S:
                raise UsageError(f"{_host(url)}: was busy for {waited_s:.0f} seconds; try later")
            self._notify(f"{_host(url)} asks to wait: {pause_s:.0f} s")
            self._sleep(pause_s)
            waited_s += pause_s
            pause_s *= 2

    def _try(self, method: str, url: str, *, retry: bool, options: dict[str, Any]) -> Any:
        """Return the answer; None where a request that may be repeated got none.

        Raises:
            UsageError: It may not be repeated, or the certificate is not valid.
        """
        options = {"timeout": TIMEOUT_S, **options, "allow_redirects": False}
        try:
            return super().request(method, url, **options)
        except requests.exceptions.SSLError as error:
            raise UsageError(f"{_host(url)}: its certificate is not valid") from error
        except (requests.ConnectionError, requests.Timeout) as error:
            if not retry:
                raise UsageError(f"{_host(url)}: cannot be reached") from error
            return None
        except (requests.RequestException, ValueError) as error:
            raise UsageError(f"{_host(url)}: cannot be asked ({type(error).__name__})") from error


def _is_throttled(response: Any) -> bool:
    if response.status_code == FORBIDDEN:
        return _RATE_LIMIT_MARK in response.content
    return bool(response.status_code == TOO_MANY_REQUESTS)


def _retry_after(response: Any) -> float:
    """Return the seconds that Canvas asks to wait, or 0."""
    text = response.headers.get("Retry-After", "") if response is not None else ""
    return float(text) if text.isdecimal() else 0.0


def _host(url: str) -> str:
    """Return an address without path and query, which may hold names or keys."""
    scheme, host, port = origin_of(url)
    return f"{scheme}://{host}:{port}" if scheme == "http" else host or "an address"


class CanvasRequester(Requester):  # type: ignore[misc] # canvasapi ships no types
    """canvasapi's requester, by a session of ours; keeps and logs no answer.

    Args:
        access: address and token.
        notify: gets a sentence on each pause.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        access: CanvasAccess,
        *,
        notify: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(access.url, "")  # the session alone knows the token
        for name in ("canvasapi", "urllib3"):
            logging.getLogger(name).setLevel(logging.WARNING)  # at DEBUG they log names and grades
        self.session = self._session = PatientSession(access, notify=notify, sleep=sleep)

    def request(self, method: str, endpoint: str | None = None, **options: Any) -> Any:
        """Send a request to the API; see canvasapi.

        Raises:
            UsageError: Canvas refuses, answers something else than JSON, or leads elsewhere.
        """
        with _in_words((endpoint or "the API").partition("?")[0]):
            response = super().request(method, endpoint, **{**options, "use_auth": False})
        self._cache.clear()
        next_url = response.links.get("next", {}).get("url", self.base_url)
        if 300 <= response.status_code < 400 or not next_url.startswith(self.base_url):  # noqa: PLR2004
            raise UsageError(f"{_host(self.base_url)}: leads to another address; is that Canvas?")
        try:
            response.json()
        except ValueError as error:
            raise UsageError(f"{_host(self.base_url)}: answers no JSON; is that Canvas?") from error
        return response

    def pages(self, endpoint: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the entries of all pages of a list.

        Raises:
            UsageError: Canvas refuses, or answers something else.
        """

        def keep_plain(_requester: Requester, entry: dict[str, Any]) -> dict[str, Any]:
            return entry

        try:
            yield from PaginatedList(
                keep_plain, self, "GET", endpoint, _kwargs=combine_kwargs(**parameters)
            )
        except (AttributeError, TypeError):  # no list, or no objects in it
            raise UsageError(f"Canvas answers no list of {endpoint}") from None

    def download(self, url: str, path: Path, *, max_bytes: int) -> int:
        """Stream a file to a path, which is then whole or not there; return its size.

        Raises:
            DownloadRefused: It is too large, or not there.
            UsageError: The file can't be written.
        """
        partial = path.with_name(f".part-{path.name}")
        with self._open_download(url) as chunks:
            try:
                size = _write_chunks(chunks, partial, max_bytes=max_bytes)
                partial.replace(path)
            except requests.RequestException as error:
                raise DownloadRefused("it could not be fetched whole; try again") from error
            except OSError as error:
                raise UsageError(f"{path}: cannot be written ({error.strerror})") from error
            finally:
                partial.unlink(missing_ok=True)
        return size

    @contextmanager
    def _open_download(self, url: str) -> Iterator[Iterator[bytes]]:
        """Yield the chunks of a file; each address on the way is looked at before it is asked."""
        for _ in range(MAX_REDIRECTS):
            if not is_safe(url):
                raise DownloadRefused("its address is not https")
            with self.session.request("GET", url, stream=True) as response:
                if response.is_redirect:
                    url = urljoin(url, response.headers["Location"])
                    continue
                if response.status_code != requests.codes.ok:
                    raise DownloadRefused(f"Canvas answers {response.status_code}")
                yield response.iter_content(CHUNK_BYTES)
                return
        raise DownloadRefused("its address leads in a circle")

    def upload(self, endpoint: str, name: str, data: bytes) -> int:
        """Upload a file in three steps, and return its id.

        Raises:
            UsageError: Canvas, or where it keeps files, refuses it.
        """
        step = {"name": name, "size": len(data), "content_type": "text/html"}
        ticket = self.request("POST", endpoint, _kwargs=combine_kwargs(**step)).json()
        answer = self._send_file(ticket, name, data)
        file_id = answer.get("id")
        if not isinstance(file_id, int):
            raise UsageError(f"{_host(self.base_url)}: did not take the report {name}")
        return file_id

    def _send_file(self, ticket: Mapping[str, Any], name: str, data: bytes) -> Mapping[str, Any]:
        """Send the bytes to where Canvas said, then confirm it to Canvas.

        Raises:
            UsageError: It is refused.
        """
        if not isinstance(ticket.get("upload_url"), str):
            raise UsageError(f"{_host(self.base_url)}: does not say where to send files")
        file_field = {str(ticket.get("file_param") or "file"): (name, data, "text/html")}
        fields = ticket.get("upload_params") or {}
        url = ticket["upload_url"]
        response = self.session.request("POST", url, data=fields, files=file_field)
        location = response.headers.get("Location")
        if location and (response.is_redirect or response.status_code == requests.codes.created):
            # To Canvas with the token, as its documentation asks; elsewhere without.
            response = self.session.request("GET", urljoin(url, location))
        if response.status_code not in {requests.codes.ok, requests.codes.created}:
            raise UsageError(f"{_host(url)}: refuses the report {name} ({response.status_code})")
        try:
            answer = json.loads(response.text.removeprefix("while(1);"))
        except ValueError as error:
            raise UsageError(f"{_host(url)}: answers no JSON to the report {name}") from error
        return answer if isinstance(answer, dict) else {}


def _write_chunks(chunks: Iterator[bytes], path: Path, *, max_bytes: int) -> int:
    """Write chunks to a file that nobody else may read.

    Raises:
        DownloadRefused: They are more than that.
    """
    size = 0
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        path.chmod(0o600)
        for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise DownloadRefused(f"it has more than the {max_bytes:,} bytes that are fetched")
            file.write(chunk)
    return size


@contextmanager
def _in_words(endpoint: str) -> Iterator[None]:
    """Turn canvasapi's errors into ours, without what Canvas answered: that may hold names."""
    try:
        yield
    except (InvalidToken, Unauthorized):
        raise UsageError(
            "Canvas does not take the token: it is wrong, has expired, or may not do this"
        ) from None
    except Forbidden:
        raise UsageError(f"Canvas does not let this token at {endpoint}") from None
    except ResourceDoesNotExist:
        raise UsageError(f"Canvas has no {endpoint}, or this token may not see it") from None
    except CanvasException as error:
        raise UsageError(f"Canvas refuses {endpoint} ({type(error).__name__})") from None
    except ValueError:  # an error whose body is no JSON
        raise UsageError(f"Canvas refuses {endpoint}, and does not say why") from None
