"""The scenes of the `unseen` look, which no training sees."""

import cv2
import numpy as np

from garments.synthetic.background import Backdrop, cloud, paving, windows


def seaside(b: Backdrop) -> None:
    """Sky, sea with waves, a railing and sand."""
    b.gradient(0, b.horizon * 0.7, b.tone((110, 170, 225)), b.tone((210, 228, 238)))
    for _ in range(int(b.rng.integers(1, 6))):
        r = b.u(0.1, 0.35) * b.width
        cloud(b, b.u(0, b.width), b.u(0, b.horizon * 0.5), r, r * b.u(0.2, 0.45))
    b.gradient(b.horizon * 0.68, b.horizon, b.tone((40, 110, 150)), b.tone((90, 160, 175)))
    for _ in range(26):
        x, y = b.u(0, b.width), b.u(b.horizon * 0.7, b.horizon)
        b.line(x, y, x + b.u(8, 50), y, b.tone((200, 225, 230)))
    paving(b, b.pick((222, 200, 160), (206, 184, 146)), False)
    b.texture(b.horizon, b.height, 0.07, 1.0, True)
    if b.rng.random() < 0.5:
        y = b.horizon - b.height * 0.1
        for k in range(-1, 14):
            b.line(k * b.width / 12, y, k * b.width / 12, b.horizon + 8, (236, 238, 240), 3)
        b.line(0, y, b.width, y, (236, 238, 240), 4)


def station(b: Backdrop) -> None:
    """A platform: tiles, posters, pillars and a train."""
    b.gradient(0, b.horizon, b.tone((206, 214, 212)), b.tone((176, 184, 184)))
    h = max(4.0, b.height * 0.022)
    for j in range(int(b.horizon / h)):
        b.line(0, j * h, b.width, j * h, (190, 198, 197))
    for i in range(int(b.width / h)):
        b.line(i * h, 0, i * h, b.horizon, (190, 198, 197))
    for _ in range(3):
        x, w = b.u(0, b.width), b.u(0.12, 0.24) * b.width
        b.rect(x, b.horizon * 0.25, x + w, b.horizon * 0.75, b.tone((150, 150, 150), 100))
    if b.rng.random() < 0.6:
        body = b.pick((196, 60, 52), (60, 96, 150), (220, 222, 224))
        b.rect(0, b.horizon * 0.3, b.width, b.horizon, body)
        windows(b, 0, b.horizon * 0.33, b.width, b.horizon * 0.75, 5, 1, (56, 66, 76))
    for x in (b.u(0, 0.3) * b.width, b.u(0.7, 1) * b.width):
        b.rect(x, 0, x + b.width * 0.06, b.horizon + 10, b.tone((96, 106, 108)))
    paving(b, b.pick((150, 152, 152), (118, 120, 122)), True)
    b.rect(0, b.horizon + 6, b.width, b.horizon + 12, (226, 196, 60))


def market(b: Backdrop) -> None:
    """Striped awnings over stalls of fruit, and a crowd of blobs."""
    b.gradient(0, b.horizon, b.tone((190, 200, 210)), b.tone((150, 140, 130)))
    b.blobs(30, b.horizon * 0.4, b.horizon * 0.8, b.width * 0.06, (120, 90, 70), (60, 60, 72))
    x = -10.0
    while x < b.width:
        w, y = b.u(0.3, 0.55) * b.width, b.u(0.1, 0.3) * b.horizon
        color = b.pick((200, 60, 56), (50, 120, 96), (226, 170, 60))
        for k in range(10):
            tone = color if k % 2 else (240, 236, 228)
            left = x + w * k / 10
            low = y + b.horizon * 0.16
            right = left + w * 0.1
            slant = w * 0.03
            b.poly([(left + slant, y), (right + slant, y), (right, low), (left, low)], tone)
        b.rect(x, b.horizon * 0.8, x + w * 0.95, b.horizon + 6, b.tone((120, 86, 56)))
        for _ in range(50):
            fruit = b.pick((216, 120, 40), (190, 40, 40), (120, 160, 60), (230, 200, 70))
            b.disc(x + b.u(0, w * 0.95), b.u(0.76, 0.84) * b.horizon, 5, 5, fruit)
        x += w
    paving(b, b.pick((150, 140, 126), (126, 118, 110)), True)


def studio(b: Backdrop) -> None:
    """A paper roll: one soft gradient without a corner."""
    base = b.pick((226, 222, 218), (190, 200, 208), (214, 190, 180), (120, 124, 130))
    b.gradient(0, b.height, base, (base[0] * 0.9, base[1] * 0.9, base[2] * 0.9))
    spot = np.zeros((b.height, b.width), np.float32)
    cv2.circle(spot, (round(b.u(0.2, 0.8) * b.width), round(b.horizon * 0.6)),
               round(b.width * 0.3), (22.0,), -1)  # fmt: skip
    small = cv2.resize(spot, (b.width // 8, b.height // 8))
    soft = cv2.resize(cv2.GaussianBlur(small, (0, 0), 7), (b.width, b.height))
    b.pixels += np.asarray(soft, np.float32)[..., None]
