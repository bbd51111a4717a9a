"""The assignment tested and built as code is: validate, release, init."""
