"""Where programs look for the inside of ``torch.func``: its steps by the names they have in PyTorch."""
