"""One dressed person: who they are, and the order in which they are painted."""

from dataclasses import dataclass, replace

import numpy as np

from garments.parts import HAIR
from garments.synthetic import bottoms, extras, shoes, tops
from garments.synthetic.body import SIDES, Build, Rig, make_rig
from garments.synthetic.canvas import Canvas, Ids
from garments.synthetic.figure import paint_foot, paint_hand, paint_limb, paint_trunk
from garments.synthetic.hair import STYLES, paint_back_hair, paint_hair
from garments.synthetic.head import Face, HeadFrame, head_frame, paint_features, paint_head
from garments.synthetic.looks import Look
from garments.synthetic.outfit import Item, Outfit, Wardrobe
from garments.synthetic.palette import HAIR as HAIR_TONES
from garments.synthetic.palette import RARE_HAIR, SKIN, mix, rgb
from garments.synthetic.poses import random_pose


@dataclass
class Figure:
    """A person ready to be painted; the rig is placed by the scene."""

    rig: Rig
    face: Face
    style: str
    outfit: Outfit
    seed: int
    tilt: float = 0.0

    def head(self) -> HeadFrame:
        """The head where the rig is now."""
        return head_frame(self.rig, self.face, self.tilt)


def random_figure(
    rng: np.random.Generator,
    look: Look,
    height: float,
    first_gid: int,
    seated: bool = False,
    frontal: bool = False,
) -> Figure:
    """A person of `height` px standing height; garments are numbered from `first_gid`."""
    hips = float(rng.uniform(0.0, 1.0))
    build = Build(float(np.clip(rng.normal(0, 0.45), -1, 1)), hips, bool(rng.random() < 0.06))
    yaw = _yaw(rng, frontal or seated)
    rig = make_rig(build, random_pose(rng, seated), yaw, height, float(rng.uniform(0.03, 0.22)))
    face = _face(rng, hips)
    styles = list(STYLES)
    slim = np.array([3, 2, 0.6, 0.2, 2, 5, 4, 2, 2, 0.6, 1.2])
    broad = np.array([6, 4, 2, 1.2, 0.4, 0.8, 0.4, 0.4, 0.3, 0.8, 0.8])
    weights = slim if hips > 0.45 else broad
    style = str(rng.choice(styles, p=weights / weights.sum()))
    outfit = Wardrobe(rng, look, first_gid).outfit(seated)
    return Figure(rig, face, style, outfit, int(rng.integers(1 << 30)), float(rng.normal(0, 0.05)))


def _yaw(rng: np.random.Generator, frontal: bool) -> float:
    """Mostly towards the camera, sometimes sideways or from behind; radians."""
    kind = rng.random()
    if frontal:
        return float(np.radians(rng.uniform(-35, 35)))
    if kind < 0.68:
        return float(np.radians(np.clip(rng.normal(0, 22), -50, 50)))
    if kind < 0.85:
        return float(np.radians(rng.choice([-1, 1]) * rng.uniform(45, 95)))
    return float(np.radians(180 + np.clip(rng.normal(0, 25), -60, 60)))


def _face(rng: np.random.Generator, hips: float) -> Face:
    skin = mix(rgb(str(rng.choice(SKIN))), rgb(str(rng.choice(SKIN))), float(rng.uniform(0, 0.35)))
    hair = rgb(str(rng.choice(RARE_HAIR if rng.random() < 0.1 else HAIR_TONES)))
    lips = mix(skin, (190, 50, 60) if hips > 0.5 else (160, 70, 65), float(rng.uniform(0.35, 0.7)))
    eyes = ((70, 48, 32), (90, 68, 40), (70, 100, 130), (80, 110, 80))
    beard = float(rng.uniform(0.35, 0.9)) if hips < 0.4 and rng.random() < 0.35 else 0.0
    return Face(
        skin, hair, eyes[int(rng.integers(4))], lips,
        width=float(rng.uniform(0.335, 0.375)), eye=float(rng.uniform(0.9, 1.2)),
        brow=float(rng.uniform(0.7, 1.5)), nose=float(rng.uniform(0.85, 1.25)),
        mouth=float(rng.uniform(0.9, 1.2)), smile=float(rng.uniform(-0.2, 1.0)),
        beard=beard, turn=float(np.radians(np.clip(rng.normal(0, 14), -35, 35))),
    )  # fmt: skip


def paint_figure(canvas: Canvas, figure: Figure, owner: int) -> None:
    """Paint a person back to front."""
    rig, worn = figure.rig, figure.outfit
    head = figure.head()
    from_behind = rig.facing < -0.1
    far = [s for s in SIDES if rig.z(f"elbow{s}") + rig.z(f"wrist{s}") < -rig.px(0.06)]
    _bags(canvas, figure, owner, front=False)
    hair = Ids(HAIR, owner)
    if not from_behind:
        paint_back_hair(canvas, head, figure.face, figure.style, hair, figure.seed)
    if worn.outer and worn.outer.open:
        tops.paint_lining(canvas, rig, worn.outer, owner)
    for side in far:
        _arm(canvas, figure, side, owner)
    for side in sorted(SIDES, key=lambda s: rig.z(f"knee{s}") + rig.z(f"ankle{s}")):
        _leg(canvas, figure, side, owner)
    paint_trunk(canvas, rig, figure.face.skin, owner)
    paint_head(canvas, head, figure.face, owner)
    _clothes(canvas, figure, owner)
    if from_behind:
        paint_back_hair(canvas, head, figure.face, figure.style, hair, figure.seed)
    _head_again(canvas, figure, head, owner)
    near = [s for s in SIDES if s not in far]
    _bags(canvas, figure, owner, front=True)
    for side in sorted(near, key=lambda s: rig.z(f"wrist{s}")):
        _arm(canvas, figure, side, owner)


def _sleeved(worn: Outfit) -> list[Item]:
    layers = [worn.top, worn.whole, worn.outer]
    return [i for i in layers if i is not None]


def _arm(canvas: Canvas, figure: Figure, side: int, owner: int) -> None:
    rig = figure.rig
    layers = [i for i in _sleeved(figure.outfit) if i.sleeve >= 0.12]
    reach = max((i.sleeve for i in layers), default=0.0)
    if reach < 1.85:
        paint_limb(canvas, rig, "arm", side, figure.face.skin, owner)
    if not rig.pose.arms[side].hidden_hand:
        paint_hand(canvas, rig, side, figure.face.skin, owner)
    if not layers:
        return
    outermost = layers[-1]
    for item in layers:
        if item is outermost or item.sleeve > outermost.sleeve + 0.05:
            tops.paint_sleeve(canvas, rig, item, side, owner)


def _leg(canvas: Canvas, figure: Figure, side: int, owner: int) -> None:
    rig, worn, skin = figure.rig, figure.outfit, figure.face.skin
    cloth = _legged(worn)
    tights = worn.socks if worn.socks and worn.socks.category == "tights" else None
    if tights and (cloth is None or cloth.hem < 0.3):
        shoes.paint_tights(canvas, rig, tights, side, owner)
    elif cloth is None or cloth.hem < 0.43 or worn.shoes is None:
        paint_limb(canvas, rig, "leg", side, skin, owner)
    if worn.shoes is None or (worn.shoes.category in ("sandals", "heels") and not tights):
        paint_foot(canvas, rig, side, skin, owner)
    if worn.socks and not tights:
        shoes.paint_sock(canvas, rig, worn.socks, side, owner)
    tucked = bool(
        worn.shoes and worn.shoes.category == "boots" and cloth and cloth.cut.leg[2] < 0.013
    )
    if cloth and tucked:
        bottoms.paint_leg_cloth(canvas, rig, cloth, side, owner)
    if worn.shoes:
        shoes.paint_shoe(canvas, rig, worn.shoes, side, owner)
    if cloth and not tucked:
        bottoms.paint_leg_cloth(canvas, rig, cloth, side, owner)


def _legged(worn: Outfit) -> Item | None:
    """The garment with trouser legs, if any; a suit's and a jumpsuit's count."""
    if worn.lower and worn.lower.category != "skirt":
        return worn.lower
    if worn.whole and worn.whole.category != "dress":
        return _as_trousers(worn.whole) if worn.whole.category == "suit" else worn.whole
    return None


def _as_trousers(suit: Item) -> Item:
    return replace(suit, hem=0.475)


def _clothes(canvas: Canvas, figure: Figure, owner: int) -> None:
    """Everything on the trunk, inside out."""
    rig, worn = figure.rig, figure.outfit
    legged = _legged(worn)
    suit = worn.whole is not None and worn.whole.category == "suit"
    if worn.top and (worn.top.tucked or suit):
        tops.paint_bodice(canvas, rig, worn.top, owner)
    if legged:
        bottoms.paint_seat(canvas, rig, legged, owner)
    elif worn.lower:
        bottoms.paint_skirt(canvas, rig, worn.lower, owner)
    belts = [i for i in worn.extras if i.category == "belt"]
    if worn.whole and not suit:
        whole = worn.whole
        if whole.category != "dress":
            whole = replace(whole, hem=0.0)
        tops.paint_bodice(canvas, rig, whole, owner)
    for belt in belts:
        extras.paint_belt(canvas, rig, belt, owner)
    if worn.top and not worn.top.tucked and not suit:
        tops.paint_bodice(canvas, rig, worn.top, owner)
    for item in worn.extras:
        if item.category == "tie":
            extras.paint_tie(canvas, rig, item, owner)
    outer = worn.whole if suit else worn.outer
    if outer:
        tops.paint_open(canvas, rig, outer, owner)


def _head_again(canvas: Canvas, figure: Figure, head: HeadFrame, owner: int) -> None:
    """Scarf, head with hair and features over the collars, then what sits on the head."""
    worn, rig = figure.outfit, figure.rig
    for item in worn.extras:
        if item.category == "scarf":
            extras.paint_scarf(canvas, rig, item, owner)
    paint_head(canvas, head, figure.face, owner)
    paint_hair(canvas, head, figure.face, figure.style, owner, figure.seed)
    paint_features(canvas, head, figure.face, owner)
    for item in worn.extras:
        if item.category == "sunglasses":
            extras.paint_sunglasses(canvas, head, item, owner)
        elif item.category in ("hat", "cap"):
            extras.paint_hat(canvas, head, item, owner, rig.height)


def _bags(canvas: Canvas, figure: Figure, owner: int, front: bool) -> None:
    for item in figure.outfit.extras:
        if item.category == "bag":
            extras.paint_bag(canvas, figure.rig, item, owner, front)
