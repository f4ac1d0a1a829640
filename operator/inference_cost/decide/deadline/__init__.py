"""The objective that lets requests wait: a queue emptied within a time."""
