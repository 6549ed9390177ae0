"""Train a small convolutional network on scikit-learn's 8x8 digits.

An ordinary PyTorch program.  Prints one line per epoch and the accuracy on the held-out part; on a terminal a progress bar
shows each epoch.
"""

import argparse
import os
import sys
import tempfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    """Two convolutions with batch normalisation, then two linear layers."""

    def __init__(self, dropout=0.25):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(32)
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(dropout)
        self.fc1 = nn.Linear(32 * 2 * 2, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.bn1(self.conv1(x))))
        x = self.pool(F.relu(self.bn2(self.conv2(x))))
        x = self.dropout(torch.flatten(x, 1))
        x = self.dropout(F.relu(self.fc1(x)))
        return self.fc2(x)


def load(held_out=360):
    """Training and held-out sets of (N, 1, 8, 8) float32 images in [0, 1] and int64 labels, split by a fixed shuffle."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(labels))
    images = torch.from_numpy((images[order] / 16).astype(np.float32).reshape(-1, 1, 8, 8))
    labels = torch.from_numpy(labels[order].astype(np.int64))
    return (
        TensorDataset(images[held_out:], labels[held_out:]),
        TensorDataset(images[:held_out], labels[:held_out]),
    )


def bar(done, total, loss):
    """Draw the epoch's progress, on a terminal only."""
    if sys.stdout.isatty():
        filled = 30 * done // total
        print(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done}/{total} loss {loss:.4f}", end="", flush=True)
        if done == total:
            print("\r" + " " * 70, end="\r")


def train_epoch(model, loader, optimizer, criterion, losses):
    """One pass over the training set; appends each step's loss to ``losses``."""
    model.train()
    for step, (x, y) in enumerate(loader, 1):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        bar(step, len(loader), losses[-1])


@torch.no_grad()
def accuracy(model, loader):
    """The share of right answers."""
    model.eval()
    right = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    return right / len(loader.dataset)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="stop each epoch after this many steps' worth of data")
    args = parser.parse_args(argv)

    torch.manual_seed(args.seed)
    train, test = load()
    if args.steps:
        train = torch.utils.data.Subset(train, range(args.steps * args.batch_size))
    loader = DataLoader(train, batch_size=args.batch_size, shuffle=True)
    test_loader = DataLoader(test, batch_size=120)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    criterion = nn.CrossEntropyLoss()
    losses = []
    for epoch in range(1, args.epochs + 1):
        start = len(losses)
        train_epoch(model, loader, optimizer, criterion, losses)
        print(f"epoch {epoch}: loss {sum(losses[start:]) / (len(losses) - start):.4f}", flush=True)
    reached = accuracy(model, test_loader)
    print(f"accuracy on {len(test)} held-out digits: {100 * reached:.1f} %")

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "digits.pt")
        torch.save(model.state_dict(), path)
        again = Net()
        again.load_state_dict(torch.load(path))
        assert accuracy(again, test_loader) == reached, "the loaded model must answer like the saved one"
    return losses, reached


if __name__ == "__main__":
    main()
