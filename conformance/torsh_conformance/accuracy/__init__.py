"""How exact elementwise functions are, in units in the last place (ulp), beside PyTorch's own.

``functions`` finds them among the declarations, ``truth`` says what is right (ball arithmetic), ``points`` where to look,
``measure`` runs backends and PyTorch over the points.  ``torsh conform --accuracy`` puts the table into the report.
"""
