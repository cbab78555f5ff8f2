"""One file a model. A file here with a frozen dataclass and its ``EXAMPLE`` is a model; nothing else lists it."""
