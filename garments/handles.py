"""Whose photo it is: how handles are compared."""


def same_handle(handle: str) -> str:
    """A handle as it is compared: `@Ann `, `@ann` and `ann` are one."""
    return handle.strip().removeprefix("@").casefold()
