"""Write the files beside a notebook into its working folder before it runs."""

import contextlib
from pathlib import Path, PurePosixPath

from inside import frames


def receive_files(requests, count):
    """Receive `count` files and write them below the working folder, as far as they can be."""
    for _ in range(count):
        has_more = True
        file = None
        while has_more:
            header, arrays = frames.receive(requests)
            has_more = header["more"]
            if file is None:
                file = create_file(header["file"])
            with contextlib.suppress(OSError):
                if "bytes" in arrays:
                    file.write(arrays["bytes"].data)
        with contextlib.suppress(OSError):
            file.close()


def create_file(name):
    """Open a new file for writing, or /dev/null where it can't or must not be created."""
    path = PurePosixPath(name)
    is_below = not path.is_absolute() and ".." not in path.parts
    try:
        if not is_below:
            return Path("/dev/null").open("wb")
        Path(path.parent).mkdir(parents=True, exist_ok=True)
        return Path(path).open("xb")
    except (OSError, ValueError):
        return Path("/dev/null").open("wb")
