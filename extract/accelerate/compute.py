"""Where networks run, by which engine and in which precision: chosen, or as the user says."""

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Literal, get_args

from extract.accelerate.processor import has_bf16
from garments.errors import BadSetting

EngineName = Literal["auto", "torch", "openvino"]
Precision = Literal["auto", "fp32", "bf16", "int8"]


@dataclass(frozen=True)
class Compute:
    """A device as torch spells it, and engine and precision as `SpeedSettings` has them."""

    device: str = "cpu"
    engine: EngineName | str = "auto"
    precision: Precision | str = "auto"

    def __post_init__(self) -> None:
        for name, allowed in (("engine", EngineName), ("precision", Precision)):
            if getattr(self, name) not in get_args(allowed):
                raise BadSetting(
                    f"expected {name} to be one of {', '.join(get_args(allowed))}, but got "
                    f"{getattr(self, name)!r}"
                )
        if self.precision == "int8" and self.engine == "torch":
            raise BadSetting(
                "expected the engine openvino for precision 'int8', but got torch; set engine to "
                "'auto', or precision to 'bf16'"
            )
        special = {"engine": "openvino", "precision": "int8"}
        asked = [name for name, value in special.items() if vars(self)[name] == value]
        if asked and not self._has_openvino:
            raise BadSetting(
                f"{asked[0]} {vars(self)[asked[0]]!r} needs the device cpu (got {self.device}) and "
                f"the package openvino: pip install 'garmentloop[speed]', or set {asked[0]} to "
                "'auto'"
            )

    @property
    def chosen_engine(self) -> Literal["torch", "openvino"]:
        """What "auto" stands for: OpenVINO on the CPU where it is installed."""
        if self.engine == "auto":
            return "openvino" if self._has_openvino else "torch"
        return "openvino" if self.engine == "openvino" else "torch"

    @property
    def chosen_precision(self) -> Literal["fp32", "bf16", "int8"]:
        """What "auto" stands for: bf16 where the device multiplies it itself."""
        if self.precision == "auto":
            return "bf16" if has_bf16(self.device) else "fp32"
        if self.precision == "int8":
            return "int8"
        return "bf16" if self.precision == "bf16" else "fp32"

    @property
    def told(self) -> str:
        """The precision as fingerprints have it.

        "auto" counts as fp32: how a machine rounds does not make other results of a model, else a
        data set that moves to another machine would be extracted anew.
        """
        return "fp32" if self.precision == "auto" else self.precision

    def identity(self, identity: str) -> str:
        """A model's `identity`, another one where a precision is asked for that changes answers."""
        return identity if self.told == "fp32" else f"{identity}-{self.told}"

    def for_starter(self) -> "Compute":
        """The same for the starter models: what is not asked for stays as they were measured.

        They are so small that converting them would cost more than it saves.
        """
        engine = "torch" if self.engine == "auto" and self.precision != "int8" else self.engine
        return replace(self, engine=engine, precision=self.told)

    @property
    def _has_openvino(self) -> bool:
        return self.device == "cpu" and find_spec("openvino") is not None
