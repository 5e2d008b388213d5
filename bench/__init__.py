"""Claims, measured: each figure beside its peer or limit in the same run.

`python -m bench NAME` runs one, `make bench` all.
"""
