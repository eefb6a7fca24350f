"""Redprint: a layered web backend on Flask.

Importing it makes 300,000 objects that stay; to look for garbage among them as often as Python does (each 700) takes a
fifth of the time of a start.
"""

from gc import set_threshold

set_threshold(50_000, 20, 20)
