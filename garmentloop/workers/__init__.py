"""Who does the work of a command: threads of this process, or the machines of a Ray cluster."""
