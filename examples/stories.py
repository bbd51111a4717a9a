"""stub."""

STORIES = ()
NOT_A_NOTEBOOK = "x"
