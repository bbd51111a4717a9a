"""Many computers grade one class: a head that alone writes, and workers that run notebooks.

Dask.distributed carries bytes between them and says who came and who is gone; what goes where is
decided by `dispatcher`. Dask is imported in this room only, and only by functions.
"""
