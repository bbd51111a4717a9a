"""stub."""

STORIES: tuple[Story, ...] = ()
NOT_A_NOTEBOOK = "x"
