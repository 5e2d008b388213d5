"""The log to and from the outside: files of CloudEvents, and brokers that others listen to."""
