"""PyTorch as a backend; the device (cpu, cuda, mps) is a parameter."""

from torsh_torch.backend import TorchBackend

__all__ = ["TorchBackend"]
