"""Reductions under a mask (torch.masked)."""
