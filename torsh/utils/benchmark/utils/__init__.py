"""The parts of ``torch.utils.benchmark``, under the names PyTorch keeps them by."""
