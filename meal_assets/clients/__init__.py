"""The outside: services that other people run, each client one module, all over the stack of `http`."""
