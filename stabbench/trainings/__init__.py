"""Other people's training code, beside the engine: a command that a training file names, or a function of Python."""
