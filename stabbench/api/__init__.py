"""The Python interface: what the commands do, as functions with keyword arguments."""
