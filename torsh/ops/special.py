"""Special functions (torch.special), element by element."""
