"""What must stay together: photos that are tied by anything they share."""

from collections.abc import Iterable

Tie = tuple[str, str]
"""A photo_id, and the name of something that it shares with others."""


def group_photos(
    photos: Iterable[str], ties: Iterable[Tie], earlier: Iterable[Tie] = ()
) -> dict[str, str]:
    """The name of each photo's group: that of one of its photos.

    `earlier` are ties to the names of groups of earlier splits: what was once found to belong
    together stays together, and keeps its name.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    known = sorted(set(photos))
    before = {(photo, name) for photo, name in earlier}
    names = {name for _, name in before}
    # A group is named by a photo: that one belongs to it, whatever ties it now.
    before |= {(name, name) for name in names}
    nodes = {("photo", photo): at for at, photo in enumerate(known)}
    edges: list[tuple[int, int]] = []
    for kind, pairs in (("tie", set(ties)), ("group", before)):
        for photo, name in pairs:
            if ("photo", photo) in nodes:
                other = nodes.setdefault((kind, name), len(nodes))
                edges.append((nodes["photo", photo], other))
    rows, columns = zip(*edges, strict=True) if edges else ((), ())
    matrix = coo_array(([1] * len(edges), (rows, columns)), shape=(len(nodes), len(nodes)))
    _, components = connected_components(matrix, directed=False)
    return _named(known, components[: len(known)].tolist(), nodes, components.tolist())


def _named(
    photos: list[str],
    component: list[int],
    nodes: dict[tuple[str, str], int],
    components: list[int],
) -> dict[str, str]:
    """The name of each photo's component: the first earlier one, else that of its first photo."""
    names: dict[int, str] = {}
    for kind, name in sorted(nodes):  # "group" comes before "photo"
        if kind != "tie":
            names.setdefault(components[nodes[kind, name]], name)
    return {photo: names[found] for photo, found in zip(photos, component, strict=True)}
