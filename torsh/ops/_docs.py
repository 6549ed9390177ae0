"""Docstrings that follow from others."""

from __future__ import annotations

from typing import Any


def inplace_doc(op: Any) -> str:
    """The docstring of an in-place form: its parameters and examples are those of the op."""
    name = next((p[7:] for p in op.paths if p.startswith("Tensor.") and not p.startswith("Tensor._")), op.name)
    return (
        f"In-place form of :func:`{name}`: writes the result into the tensor and returns it.\n\n"
        f"Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.{name}_.html"
    )
