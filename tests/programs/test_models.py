"""Small models of the usual kinds, trained step by step against PyTorch with the same seed: same losses throughout."""

from __future__ import annotations

import math

import pytest

import torsh
import torsh.distributions
import torsh.nn
import torsh.nn.functional
import torsh.optim

torch = pytest.importorskip("torch")


def lstm_tagger(lib):
    """Sequences of symbols, each to be tagged by whether it is larger than the one before; packed sequences."""
    lib.manual_seed(0)
    nn, rnn = lib.nn, lib.nn.utils.rnn

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(10, 6, padding_idx=0)
            self.lstm = nn.LSTM(6, 8, num_layers=2, bidirectional=True, batch_first=True)
            self.out = nn.Linear(16, 2)

        def forward(self, x, lengths):
            packed = rnn.pack_padded_sequence(self.embed(x), lengths, batch_first=True, enforce_sorted=False)
            hidden, _ = self.lstm(packed)
            hidden, _ = rnn.pad_packed_sequence(hidden, batch_first=True)
            return self.out(hidden)

    model = Tagger().double()
    optimizer = lib.optim.Adam(model.parameters(), lr=0.05)
    criterion = nn.CrossEntropyLoss(ignore_index=-100)
    x = lib.randint(1, 10, (6, 7))
    lengths = lib.tensor([7, 3, 5, 7, 2, 6])
    mask = lib.arange(7).unsqueeze(0) < lengths.unsqueeze(1)
    x = x * mask
    target = lib.where(mask, (x > lib.roll(x, 1, 1)).long(), lib.full_like(x, -100))
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        loss = criterion(model(x, lengths).transpose(1, 2), target)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


def gru_forecast(lib):
    """A recurrent cell unrolled by hand over a sine wave, fed its own guesses, with truncated backpropagation."""
    lib.manual_seed(1)
    nn = lib.nn
    cell, head = nn.GRUCell(1, 12).double(), nn.Linear(12, 1).double()
    optimizer = lib.optim.RMSprop([*cell.parameters(), *head.parameters()], lr=0.01)
    wave = lib.sin(lib.linspace(0, 12, 49, dtype=lib.float64)).reshape(-1, 1, 1)
    losses = []
    for epoch in range(4):
        h = lib.zeros(1, 12, dtype=lib.float64)
        for start in range(0, 48, 16):
            h = h.detach()
            total = 0.0
            guess = wave[start]
            for t in range(start, start + 16):
                h = cell(wave[t] if t % 4 or epoch < 2 else guess, h)
                guess = head(h)
                total = total + nn.functional.smooth_l1_loss(guess, wave[t + 1])
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            losses.append(total.item())
    return losses


def gan(lib):
    """A generator and a discriminator in alternation on a ring of points, with batch norm and a learning rate schedule."""
    lib.manual_seed(2)
    nn = lib.nn
    generator = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(inplace=True), nn.Linear(16, 2)).double()
    judge = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2, inplace=True), nn.Dropout(0.2), nn.Linear(16, 1)).double()
    for net in (generator, judge):
        for m in net.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, 0.0, 0.3)
                nn.init.zeros_(m.bias)
    opt_g = lib.optim.Adam(generator.parameters(), lr=0.02, betas=(0.5, 0.999))
    opt_d = lib.optim.Adam(judge.parameters(), lr=0.02, betas=(0.5, 0.999))
    schedule = lib.optim.lr_scheduler.StepLR(opt_g, step_size=5, gamma=0.5)
    criterion = nn.BCEWithLogitsLoss()
    losses = []
    for _ in range(12):
        angle = lib.rand(16, dtype=lib.float64) * 2 * math.pi
        real = lib.stack([angle.cos(), angle.sin()], 1)
        fake = generator(lib.randn(16, 4, dtype=lib.float64))
        opt_d.zero_grad()
        loss_d = criterion(judge(real), lib.ones(16, 1, dtype=lib.float64)) + criterion(
            judge(fake.detach()), lib.zeros(16, 1, dtype=lib.float64)
        )
        loss_d.backward()
        opt_d.step()
        opt_g.zero_grad()
        loss_g = criterion(judge(fake), lib.ones(16, 1, dtype=lib.float64))
        loss_g.backward()
        opt_g.step()
        schedule.step()
        losses += [loss_d.item(), loss_g.item()]
    return losses


def vae(lib):
    """A convolutional variational autoencoder of small images: reparameterised sampling, reconstruction and divergence."""
    lib.manual_seed(3)
    nn, F = lib.nn, lib.nn.functional

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.encode = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ELU(), nn.Flatten())
            self.mean, self.spread = nn.Linear(64, 3), nn.Linear(64, 3)
            self.widen = nn.Linear(3, 64)
            self.decode = nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1)

        def forward(self, x):
            h = self.encode(x)
            mean, log_var = self.mean(h), self.spread(h)
            z = mean + lib.exp(0.5 * log_var) * lib.randn_like(log_var)
            return self.decode(F.elu(self.widen(z)).view(-1, 4, 4, 4)), mean, log_var

    model = VAE().double()
    optimizer = lib.optim.AdamW(model.parameters(), lr=0.02, weight_decay=0.01)
    images = (lib.rand(10, 1, 8, 8, dtype=lib.float64) > 0.7).double()
    losses = []
    for _ in range(12):
        optimizer.zero_grad(set_to_none=False)
        out, mean, log_var = model(images)
        loss = F.binary_cross_entropy_with_logits(out, images, reduction="sum")
        loss = loss - 0.5 * lib.sum(1 + log_var - mean.pow(2) - log_var.exp())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with lib.inference_mode():
        losses.append(model(images)[1].sum().item())
    return losses


def transformer_lm(lib):
    """A causal transformer that learns to continue a text, with gradient accumulation, tied weights and a warm-up."""
    lib.manual_seed(4)
    nn, F = lib.nn, lib.nn.functional
    text = "to be or not to be that is the question " * 3
    symbols = sorted(set(text))
    data = lib.tensor([symbols.index(c) for c in text])
    length, width = 12, 16

    class LM(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(len(symbols), width)
            self.place = nn.Parameter(lib.zeros(1, length, width))
            layer = nn.TransformerEncoderLayer(
                width, 2, 32, dropout=0.1, activation="gelu", batch_first=True, norm_first=True
            )
            self.layers = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(width), enable_nested_tensor=False)
            self.head = nn.Linear(width, len(symbols), bias=False)
            self.head.weight = self.embed.weight
            self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(length))

        def forward(self, x):
            return self.head(self.layers(self.embed(x) + self.place, mask=self.mask, is_causal=True))

    model = LM().double()
    optimizer = lib.optim.AdamW(model.parameters(), lr=0.01)
    warm = lib.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 4))
    losses = []
    for step in range(8):
        optimizer.zero_grad()
        for part in range(2):
            starts = lib.arange(4) * 7 + step + 3 * part
            x = lib.stack([data[int(s) : int(s) + length] for s in starts])
            y = lib.stack([data[int(s) + 1 : int(s) + length + 1] for s in starts])
            loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten(), label_smoothing=0.1) / 2
            loss.backward()
            losses.append(loss.item())
        losses.append(float(nn.utils.clip_grad_norm_(model.parameters(), 0.5)))
        optimizer.step()
        warm.step()
    model.eval()
    with lib.no_grad():
        found = data[None, :length].clone()
        for _ in range(5):
            logits = model(found[:, -length:])[:, -1]
            found = lib.cat([found, logits.argmax(-1, keepdim=True)], 1)
    return losses + found[0].tolist()


def policy_gradient(lib):
    """REINFORCE on a two-armed bandit with memory: sampling from distributions, log-probabilities, a baseline."""
    lib.manual_seed(5)
    policy = lib.nn.Sequential(lib.nn.Linear(2, 8), lib.nn.Tanh(), lib.nn.Linear(8, 2)).double()
    optimizer = lib.optim.Adam(policy.parameters(), lr=0.05)
    losses, baseline = [], 0.0
    for _ in range(12):
        state = lib.rand(8, 2, dtype=lib.float64)
        choice = lib.distributions.Categorical(logits=policy(state))
        action = choice.sample()
        reward = (action == (state[:, 0] > state[:, 1]).long()).double()
        baseline = 0.9 * baseline + 0.1 * reward.mean().item()
        loss = -(choice.log_prob(action) * (reward - baseline)).mean() - 0.01 * choice.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses += [loss.item(), reward.sum().item()]
    return losses


@pytest.mark.parametrize("program", [lstm_tagger, gru_forecast, gan, vae, transformer_lm, policy_gradient])
def test_same_losses_as_pytorch(program):
    ours, theirs = program(torsh), program(torch)
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-8)
