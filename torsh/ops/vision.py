"""Interpolation, sampling grids, pixel shuffling and padding."""
