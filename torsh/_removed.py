"""Functions PyTorch removed, which say what took their place."""

from __future__ import annotations

from typing import Any

_SINCE = "This function was deprecated since version 1.9 and is now removed. "


def eig(self: Any, eigenvectors: bool = False, *, e: Any = None, v: Any = None) -> Any:
    """Removed: ``torch.linalg.eig`` took its place.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    raise RuntimeError(
        f"{_SINCE}`torch.linalg.eig` returns complex tensors rather than real pairs; use L, V = torch.linalg.eig(A), or "
        "torch.linalg.eigvals(A) for the eigenvalues alone"
    )


def lstsq(input: Any, A: Any, *, out: Any = None) -> Any:
    """Removed: ``torch.linalg.lstsq`` took its place.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    raise RuntimeError(
        f"{_SINCE}`torch.linalg.lstsq` takes the arguments the other way round: torch.linalg.lstsq(A, input).solution"
    )


def matrix_rank(input: Any, tol: Any = None, symmetric: bool = False, *, out: Any = None) -> Any:
    """Removed: ``torch.linalg.matrix_rank`` took its place.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    raise RuntimeError(
        f"{_SINCE}Please use the `torch.linalg.matrix_rank` function instead, where 'symmetric' is 'hermitian'"
    )


def solve(input: Any, A: Any, *, out: Any = None) -> Any:
    """Removed: ``torch.linalg.solve`` took its place.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    raise RuntimeError(
        f"{_SINCE}`torch.linalg.solve` takes the arguments the other way round: torch.linalg.solve(A, input)"
    )


def symeig(input: Any, eigenvectors: bool = False, upper: bool = True, *, out: Any = None) -> Any:
    """Removed: ``torch.linalg.eigh`` took its place.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    raise RuntimeError(
        f"{_SINCE}Use L, V = torch.linalg.eigh(A, UPLO='U' if upper else 'L'), or torch.linalg.eigvalsh for the values alone"
    )


def reinforce(self: Any, reward: Any) -> Any:
    """Removed: ``torch.distributions`` took its place."""
    raise RuntimeError(
        "reinforce() was removed. Use torch.distributions instead: m = Categorical(probs); action = m.sample(); "
        "loss = -m.log_prob(action) * reward"
    )


def quantized_lstm(input: Any, hx: Any, params: Any, *args: Any, **kwargs: Any) -> Any:
    """Needs weights packed by PyTorch's own classes, which torsh does not have.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    raise RuntimeError(
        "torch.quantized_lstm with List[Tensor] for parameters is no longer supported. Use torch.quantized_lstm_cell step by step"
    )


def quantized_gru(input: Any, hx: Any, params: Any, *args: Any, **kwargs: Any) -> Any:
    """Needs weights packed by PyTorch's own classes, which torsh does not have.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    raise RuntimeError(
        "torch.quantized_gru with List[Tensor] for parameters is no longer supported. Use torch.quantized_gru_cell step by step"
    )
