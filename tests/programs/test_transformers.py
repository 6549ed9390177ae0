"""Small models of Hugging Face's transformers, as the library builds them: training and generating gives PyTorch's numbers.

Needs the extra ``libraries``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

if not find_spec("transformers"):
    pytest.skip("transformers is not installed: pip install -e '.[libraries]'", allow_module_level=True)

PROGRAM = """
import json, logging, sys, warnings
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
import torch
import transformers as t

small = dict(vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=37)
image = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=37, image_size=32, patch_size=8)
stack = dict(vocab_size=99, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4,
             encoder_ffn_dim=37, decoder_ffn_dim=37)
models = {
    "gpt2": lambda: t.GPT2LMHeadModel(t.GPT2Config(vocab_size=99, n_embd=32, n_layer=2, n_head=4, n_positions=40)),
    "llama": lambda: t.LlamaForCausalLM(t.LlamaConfig(**small, num_key_value_heads=2)),
    "mamba": lambda: t.MambaForCausalLM(t.MambaConfig(vocab_size=99, hidden_size=32, num_hidden_layers=2, state_size=8)),
    "bert": lambda: t.BertForSequenceClassification(t.BertConfig(**small)),
    "bart": lambda: t.BartForConditionalGeneration(t.BartConfig(**stack, max_position_embeddings=40)),
    "vit": lambda: t.ViTForImageClassification(t.ViTConfig(**image, num_labels=3)),
}
name = sys.argv[1]
torch.manual_seed(0)
model = models[name]()
if name == "vit":
    inputs = {"pixel_values": torch.randn(2, 3, 32, 32), "labels": torch.tensor([0, 2])}
else:
    inputs = {"input_ids": torch.randint(3, 99, (2, 12))}
    inputs["labels"] = torch.tensor([0, 1]) if name == "bert" else inputs["input_ids"]
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
losses = []
for _ in range(5):
    optimizer.zero_grad()
    loss = model(**inputs).loss
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
words = []
if name in ("gpt2", "llama", "bart"):
    model.eval()
    for sample in (False, True):
        torch.manual_seed(1)
        words += model.generate(inputs["input_ids"][:, :4], max_new_tokens=8, do_sample=sample, top_k=20).tolist()
print("RESULT", json.dumps([losses, words]))
"""


def run(path, name, *command):
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, *command, str(path), name], capture_output=True, text=True, timeout=300, env=env
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(next(x for x in done.stdout.splitlines() if x.startswith("RESULT ")).removeprefix("RESULT "))


CASES = [(name, "numpy") for name in ("gpt2", "llama", "mamba", "bert", "bart", "vit")]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "backend"), [*CASES, ("llama", "torch"), ("llama", "dask")])
def test_as_pytorch(name, backend, tmp_path):
    pytest.importorskip("torch")
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    losses, words = run(path, name, "-m", "torsh._cli", "run", "--backend", backend)
    expected_losses, expected_words = run(path, name)
    assert losses == pytest.approx(expected_losses, rel=1e-4)
    assert words == expected_words
