"""Serves conversations with a notebook made of one file of code, as the live kernel's probe does.

There are no walls and no Jupyter: what an attack does to pipes, replies and forks is the same.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "grader"))
from inside import frames, kept_moments, probe  # type: ignore[import-not-found]

reading, writing = frames.os.dup(0), frames.os.dup(1)
namespace = {"__name__": "__main__"}
source = Path(sys.argv[1]).read_text(encoding="utf-8")
exec(compile(source, "cell", "exec"), namespace)  # noqa: S102 (a test's own code)
moments = kept_moments.KeptMoments()
notebook = SimpleNamespace(
    namespace=namespace,
    restore_forgotten=lambda: None,
    modules={},
    moments=moments,
    folder=SimpleNamespace(put_back=lambda: None),  # the tests' own process works in it, too
)
moments.serve = lambda header: probe.serve_conversation(notebook, header, reading, writing)
main_thread = SimpleNamespace(run=lambda _: False, has_company=lambda: False)
frames.send(writing, {"frame": "ready"})
probe.serve_batches(notebook, reading, writing, trusted=False, main_thread=main_thread)
