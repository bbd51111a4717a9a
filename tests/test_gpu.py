"""Where there is no GPU, a notebook that asks for one without looking uses the CPU."""

from __future__ import annotations

import pytest
from neutralized import call, failures, notebooks, numbers

from grader.sandbox import IsolationLevel

pytestmark = pytest.mark.kernel

NOTE = "meant the CPU: there is no GPU where notebooks are graded."
START = """
import sys; assert "torch" not in sys.modules
import io, pickle, torch
import torch.nn as nn
x = torch.arange(3.0)
net = nn.Linear(3, 2)
"""
USES = (
    "assert not torch.cuda.is_available() and torch.cuda.device_count() == 0",
    "y = x.cuda(); assert y.tolist() == x.tolist()",
    "x.cuda(0, non_blocking=True); x.to('cuda'); x.to(0); x.to('mps'); x.to('cuda:1', torch.half)",
    "assert x.to(device='cuda', dtype=torch.float64).dtype is torch.float64",
    "d = torch.device('cuda:0'); assert isinstance(d, torch.device) and d.type == 'cpu'",
    "assert net.to(d) is net and net.cuda() is net and net.to('cuda:0') is net",
    "nn.Linear(3, 2, device='cuda')(torch.ones(1, 3, device='mps'))",
    "[f(2, device='cuda') for f in (torch.zeros, torch.rand, torch.arange, torch.empty)]",
    "torch.tensor([1.0], device='cuda'); x.new_ones(2, device='cuda')",
    "torch.zeros_like(x, device='cuda')",
    "torch.cuda.synchronize(); torch.cuda.empty_cache(); torch.cuda.manual_seed_all(0)",
    "torch.cuda.set_device(0); torch.cuda.get_device_name(0).upper(); torch.cuda.current_device()",
    "torch.cuda.get_device_properties(0).total_memory; torch.cuda.mem_get_info()[0] / 1e9",
    "with torch.cuda.device(0), torch.cuda.stream(torch.cuda.Stream()): x.cuda()",
    "a, b = (torch.cuda.Event(enable_timing=True) for _ in '12')",
    "a.record(); b.record(); assert a.elapsed_time(b) >= 0",
    "with torch.autocast('cuda', dtype=torch.float16): assert (x * 2).dtype is torch.float32",
    "scaler = torch.amp.GradScaler('cuda'); scaler.scale(x.sum())",
    "x.pin_memory(); torch.zeros(2, pin_memory=True)",
    "loader = torch.utils.data.DataLoader([x], pin_memory=True); assert len(list(loader)) == 1",
    "torch.set_default_device('cuda'); assert torch.ones(2).is_cpu; torch.set_default_device(None)",
    "with torch.device('cuda'): assert torch.ones(2).is_cpu",
    "torch.randn(2, generator=torch.Generator(device='cuda').manual_seed(1))",
    "f = io.BytesIO(); torch.save(net.state_dict(), f)",
    "f.seek(0); net.load_state_dict(torch.load(f, map_location='cuda'))",
    "f.seek(0); torch.load(f, map_location={'cuda:1': 'cuda:0'}, weights_only=True)",
    "f.seek(0); torch.load(f, map_location=lambda storage, place: storage.cuda())",
    "torch.cuda.FloatTensor([1.0]); x.type('torch.cuda.LongTensor')",
    "x.type(torch.cuda.FloatTensor)",
    "nn.DataParallel(net, device_ids=[0]).cuda()(x)",
    "nn.utils.rnn.pack_sequence([x]).cuda(); nn.Parameter(x).to('cuda')",
    "torch.mps.empty_cache(); torch.mps.manual_seed(1); torch.cuda.reset_peak_memory_stats()",
)
SCRIPT = """
@torch.jit.script
def f(n: int, d: torch.device):
    return torch.zeros(n, device=d).to('cpu') + torch.ones(n)
assert f(2, torch.device('cpu')).tolist() == [1, 1]
"""
UNCHANGED = (
    SCRIPT,
    "traced = torch.jit.trace(nn.Sequential(net), torch.ones(2, 3)); assert len(traced.code) < 300",
    "assert pickle.loads(pickle.dumps(torch.zeros)) is torch.zeros",
    "assert pickle.loads(pickle.dumps(torch.device('cpu'))) == torch.device('cpu')",
    (
        "try: exec('torch.cuda.get_device_properties(0)', {'torch': torch, '__name__': 'torch._x'})"
        "\nexcept (AssertionError, RuntimeError): pass\nelse: assert False"
    ),
    "with torch.device('meta'): assert torch.ones(2).is_meta",
    "try: torch.zeros(2, device='nonsense')\nexcept RuntimeError: pass\nelse: assert False",
    "assert str(torch.device('cpu', 0)) == 'cpu:0' and torch.zeros(2, device=d).is_cpu",
)
LATER = """
def later():
    device = torch.device("cuda")
    model = nn.Linear(1, 1).to(device)
    with torch.no_grad():
        model.weight.fill_(2.0), model.bias.fill_(1.0)
    return model(torch.ones(1, 1, device="cuda:0").cuda()).cpu().flatten()
"""


@pytest.mark.parametrize("ahead", [("torch",), ()], ids=["imported ahead", "imported by a cell"])
def test_asking_for_a_gpu_means_the_cpu_and_leaves_a_note(ahead: tuple[str, ...]) -> None:
    sources = (START.replace("assert", "#") if ahead else START, *USES, *UNCHANGED, LATER)
    with (
        notebooks(IsolationLevel.NONE, *ahead) as started,
        started.run(*sources) as (record, live),
    ):
        notes = {run.index: run.notes for run in record.cells}

        assert failures(record, sources) == {}
        assert numbers(live.ask((call("later"),))["later"]) == [3.0]

    assert notes[2] == (f"`cuda` {NOTE}",)
    assert notes[3] == (f"`cuda` {NOTE}", f"`mps` {NOTE}")
    assert {notes[i] for i in (1, *range(len(USES) + 1, len(sources)))} == {()}
