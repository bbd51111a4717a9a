"""The student's own check, in the student's own process: its result never counts."""
