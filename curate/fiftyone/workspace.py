"""The workspace that opens with the App: the grid, a plot of embeddings, and histograms."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curate.fiftyone import sidebar
from curate.fiftyone.journal import keep, kept
from curate.fiftyone.standing import attribute_field
from curate.state import Decision, GarmentState, decisions_in_force
from garments.ids import stable_id

if TYPE_CHECKING:
    from curate.fiftyone.window import Window

WORKSPACE = "curate"
"""Name and slug of the workspace of garments."""

PCA, TSNE = "embedding_pca", "embedding_tsne"
"""Names of the two plots (FiftyOne's "brain keys")."""

MOST_IN_TSNE = 3000
"""Garments in the t-SNE at most, evenly chosen: it takes minutes for ten thousand."""

FEWEST = 5
"""Garments below which there is nothing to plot."""

_GROWN = 1.1
"""The t-SNE is made anew when there are so many times the garments that it knew."""

_KEPT = "plots"

Points = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Embedded:
    """Sample ids with their vectors (N, D)."""

    ids: list[str]
    vectors: NDArray[np.float32]


def is_saved(window: "Window") -> bool:
    """Whether the workspace is there."""
    return bool(window.garments.has_workspace(WORKSPACE))


def save(window: "Window") -> None:
    """Make plots that are out of date, and save sidebar and workspace where they changed."""
    sidebar.save(window)
    space, shown = workspace(window, _plots(window)), window.garments
    if shown.has_workspace(WORKSPACE) and _same(shown.load_workspace(WORKSPACE), space):
        return
    text = "crops and evaluations, a plot of how alike crops are, and histograms of every field"
    shown.save_workspace(WORKSPACE, space, description=text, color="#00798C", overwrite=True)


def workspace(window: "Window", plots: list[str]) -> Any:
    """Grid and evaluations to the left; to the right `plots` where there are any, histograms."""
    fo, names = window.fo, [a.id for a in window.dataset.taxonomy.attributes]
    left = _space(
        fo,
        "left",
        fo.Panel(type="Samples", pinned=True, component_id="grid"),
        fo.Panel(type="model_evaluation_panel_builtin", component_id="evaluation"),
    )
    state = {"path": f"{attribute_field(names[0])}.label"}
    histograms = fo.Panel(type="Histograms", component_id="histograms", state=state)
    right = _space(fo, "below", histograms)
    if plots:
        # The App lists the plots, whatever a workspace says; a click opens one.
        plot = fo.Panel(type="Embeddings", component_id="embeddings")
        right = fo.Space(
            children=[_space(fo, "above", plot), right],
            orientation="vertical",
            component_id="right",
        )
    return fo.Space(
        children=[left, right],
        orientation="horizontal",
        sizes=[0.55, 0.45],
        component_id="root",
    )


def _space(fo: Any, name: str, *panels: Any) -> Any:
    """Panels as tabs, the first in front."""
    return fo.Space(children=list(panels), active_child=panels[0].component_id, component_id=name)


def _same(one: Any, other: Any) -> bool:
    """Whether two workspaces look alike."""
    alike = [space.to_dict() for space in (one, other)]
    for found in alike:
        found.pop("_name", None)
    return bool(alike[0] == alike[1])


def _plots(window: "Window") -> list[str]:
    """Names of the plots that there are now, made anew where they are out of date."""
    before, now = dict(kept(window.garments, _KEPT) or {}), _shown(window)
    there = [name for name in (PCA, TSNE) if window.garments.has_brain_run(name)]
    if before.get(PCA) == now and there == [PCA, TSNE]:
        return there
    found, plots = _embedded(window), dict[str, Any]()
    if len(found.ids) >= FEWEST:
        _keep(window, PCA, found.ids, first_axes(found.vectors, 2))
        plots[PCA] = now
        plots[TSNE] = _tsne_plot(window, found, before.get(TSNE))
    for name in (PCA, TSNE):
        if name not in plots and window.garments.has_brain_run(name):
            window.garments.delete_brain_run(name)
    keep(window.garments, **{_KEPT: plots})
    return list(plots)


def _shown(window: "Window") -> str:
    """Hash that changes with the embeddings, and with the garments that are active."""
    catalog = window.dataset.catalog
    vectors = [(table, catalog.highest(table, "seq")) for table in catalog.embedding_tables()]
    decided = decisions_in_force(catalog.rows("decisions").to_pylist())
    thrown_out = {Decision.EXCLUDED, Decision.BAD_CROP}
    out = sorted(name for name, kinds in decided.items() if thrown_out & kinds.keys())
    active = catalog.active_garments(columns=["garment_id"]).num_rows
    return stable_id(*vectors, active, *out)


def _embedded(window: "Window") -> _Embedded:
    """Active garments with an embedding."""
    active = window.garments.match(window.fo.ViewField("state") == str(GarmentState.ACTIVE))
    ids, vectors = active.exists("embedding").values(["id", "embedding"])
    found = np.array(vectors, np.float32) if vectors else np.zeros((0, 0), np.float32)
    return _Embedded(ids, found)


def _tsne_plot(window: "Window", found: _Embedded, before: list[Any] | None) -> list[Any]:
    """Hash of the first vector, and how many there were: what tells whether it is out of date."""
    model = stable_id(found.vectors.shape[1], *found.vectors[:1].ravel().tolist())
    if before and window.garments.has_brain_run(TSNE):
        same, count = before[0] == model, int(before[1])
        if same and count / _GROWN <= len(found.ids) <= count * _GROWN:
            return before
    chosen = np.unique(np.linspace(0, len(found.ids) - 1, MOST_IN_TSNE).astype(int))
    points = neighbours_kept(found.vectors[chosen])
    _keep(window, TSNE, [found.ids[at] for at in chosen], points)
    return [model, len(found.ids)]


def first_axes(vectors: NDArray[np.float32], count: int) -> Points:
    """The `count` principal components (N, count) of vectors (N, D), their signs fixed."""
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
    chosen = axes[:, ::-1][:, :count]
    chosen = chosen * np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(chosen.shape[1])])
    return np.asarray(centred @ chosen, np.float32)


def neighbours_kept(vectors: NDArray[np.float32]) -> Points:
    """t-SNE of vectors (N, D): (N, 2), the same for the same vectors."""
    from sklearn import manifold

    start = first_axes(vectors, 2)
    start = np.asarray(start / max(float(start[:, 0].std()), 1e-9) * 1e-4, np.float32)
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    made = manifold.TSNE(2, perplexity=perplexity, init=start, random_state=0, max_iter=500)
    return np.asarray(made.fit_transform(first_axes(vectors, 50)), np.float32)


def _keep(window: "Window", name: str, ids: list[str], points: Points) -> None:
    """Keep a plot under its name, in place of an earlier one."""
    import fiftyone.brain as fob

    if window.garments.has_brain_run(name):
        window.garments.delete_brain_run(name)
    view = window.garments.select(ids)
    places = dict(zip(ids, points, strict=True))
    fob.compute_visualization(view, points=places, num_dims=2, brain_key=name, progress=False)
