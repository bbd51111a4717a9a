"""Runs a course's tests in a process of its own, where no line of a student's code ever runs.

A test is a pytest function whose arguments are the notebook's names. What it does with them goes
over the wall (`inside/conversation_server.py`) and comes back as plain values; everything else, the
comparison above all, happens here. Started as a program of its own, as `inside` is; the grader
imports nothing of it.
"""
