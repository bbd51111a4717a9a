"""The door for `python -m grader`: the same program as `grade`."""

from grader.cli import main

if __name__ == "__main__":
    main()
