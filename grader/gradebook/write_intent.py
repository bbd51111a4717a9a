"""How a book tells its database that a transaction means to write, whatever database it is."""

WRITES = "grader_writes"
"""The execution option of connections that mean to write: they wait for their turn first."""
