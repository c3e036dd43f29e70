"""The synthetic street: pictures of dressed people whose whole truth is known.

`draw_street` draws one picture by seed, `write_street` writes a labelled set to a folder. Two
looks share no shade, print, cut or backdrop: `train`, and `unseen`, which is kept out of training.
"""

from garments.synthetic.looks import LOOKS
from garments.synthetic.scene import draw_street
from garments.synthetic.truth import Street, StreetGarment, StreetPerson
from garments.synthetic.write import write_street

__all__ = ["LOOKS", "Street", "StreetGarment", "StreetPerson", "draw_street", "write_street"]
