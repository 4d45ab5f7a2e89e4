"""The @CTES exchange norm as a library: names, messages, archives and deposit rules.

Pure functions on bytes and frozen dataclasses. Strict in what is sent, lenient in what is received.
"""
