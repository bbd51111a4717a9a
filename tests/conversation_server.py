"""Serves conversations with a notebook made of one file of code, over standard streams.

It takes the place of a live notebook, without Jupyter: a fork for each conversation, as in `probe`.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "grader"))
from inside import conversation_server, frames, kept_folder  # type: ignore[import-not-found]

reading, writing = os.dup(0), os.dup(1)
namespace = {"__name__": "__main__"}
source = Path(sys.argv[1]).read_text(encoding="utf-8")
exec(compile(source, "cell", "exec"), namespace)  # noqa: S102 (a test's own code)
folder = kept_folder.KeptFolder(os.getcwd())  # noqa: PTH109 (a string, as in the kernel)


def serve_conversation(first: bytes) -> None:
    """Serve one conversation, of which the first body was read already; never returns."""
    output = conversation_server.CapturedOutput()
    output.capture()
    bodies = [first]
    server = conversation_server.ConversationServer(
        namespace,
        lambda: bodies.pop() if bodies else frames.receive_bytes(reading),
        lambda reply: frames.send_bytes(writing, reply),
        output=output,
    )
    try:
        server.serve()
    finally:
        os._exit(0)


while True:
    try:
        body = frames.receive_bytes(reading)
    except frames.PipeClosed:
        break
    folder.put_back()
    pid = os.fork()
    if pid == 0:
        serve_conversation(body)
    _, status = os.waitpid(pid, 0)
    frames.send(writing, {"gone": "died"} if status else {"ended": True})
