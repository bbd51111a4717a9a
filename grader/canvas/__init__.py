"""Canvas by its API: submissions come from there, grades and reports go there.

Nothing else in this program speaks with a learning management system. The token goes to Canvas's
own address and nowhere else, and one request is sent at a time.
"""
