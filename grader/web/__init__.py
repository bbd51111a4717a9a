"""The console where people mark: a web server of their own, which runs no student's code."""
