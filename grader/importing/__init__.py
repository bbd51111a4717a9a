"""Brings assignments of other graders here: reads their files as data, and writes ours."""
