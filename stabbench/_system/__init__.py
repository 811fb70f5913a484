"""Files and hardware of the machine."""
