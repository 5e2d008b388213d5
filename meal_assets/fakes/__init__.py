"""Test partners: real HTTP servers on loopback that play the remotes, quirks and faults included.

They serve the tests, and the demo of somebody who has no account anywhere.
"""
