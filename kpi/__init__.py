"""From input files to KPIs, scores and ranks of vocational colleges."""

__version__ = "0.5.0"
