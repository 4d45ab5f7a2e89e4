"""The Certificate Management Protocol, as a registration authority speaks it (RFC 9483). Pure.

RFC 9810 (messages, obsoletes 4210), RFC 4211 (certificate templates), RFC 9811 (over HTTP). Only
what a registration authority needs: it asks for others (ir, cr, kur, p10cr), polls, confirms and
revokes, and every message is signed.
"""
