"""The small models that ship with the project: architectures and their inference."""
