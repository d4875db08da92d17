"""Every knob of training, once, with a remark. A recipe, a seed and the data are all that a run depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from femr.errors import ModelError
from femr.expression.networks import CUSTOM_CNN_SIDE, MOBILENET_V2_SIDE
from femr.training.augment import Augmentation

NO_CHANGE = Augmentation(flip=0.0, warp=0.0)
"""The faces as they are."""

_STRONG = Augmentation(
    warp=0.9,
    rotation=13.0,
    zoom=0.14,
    shift=0.09,
    wide=0.12,
    light=0.4,
    gamma=0.12,
    dim=0.03,
    blur=0.08,
    jpeg=0.08,
    erase=0.25,
)
_LIGHT = Augmentation(
    rotation=8.0, zoom=0.08, shift=0.06, wide=0.08, light=0.2, gamma=0.06, blur=0.05, jpeg=0.05, erase=0.1
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All knobs of one training run."""

    name: str
    network: str  # a key of femr.expression.networks.BUILDERS
    side: int  # the network's input side in pixels
    early_side: int = 0  # a smaller one to begin with: faster; mobilenet_v2 only
    early_part: float = 0.0  # of the epochs, with early_side
    low: float = 0.0  # network input of a black pixel
    high: float = 1.0  # network input of a white pixel
    start: str | None = None  # "imagenet", or None: untrained
    validation: str = "PublicTest"  # or "held out": a fifth of Training, grouped by pixels
    epochs: int = 60
    batch_size: int = 128
    optimizer: str = "muon"  # "muon", "adamw", "adam" or "sgd" (Nesterov, momentum 0.9)
    rate: float = 6e-4  # the highest learning rate
    warmup: float = 0.3  # epochs of linear warm-up
    schedule: str = "cosine"  # to zero at the end; or "plateau"
    plateau_patience: int = 3  # epochs without a better validation loss before the rate falls; "plateau" only
    plateau_factor: float = 0.9  # by which it falls
    stop_patience: int = 0  # epochs without a better validation loss before the end; 0 = never
    keep: str = "last"  # which epoch's model is the result: "last", or "best" by validation loss
    weight_decay: float = 0.05  # decoupled, kernels only
    clip_norm: float = 1.0  # of the whole gradient; 0 = off
    ema: float = 0.998  # momentum of the averaged weights; 0 = off
    batch_norm_momentum: float | None = 0.97  # None: the network's own
    batch_norm_batches: int = 100  # training batches that re-estimate the statistics at the end; 0 = off
    # custom_cnn, after each stage; in the large first stages it costs a fifth of the time
    conv_dropout: tuple[float, ...] = (0.0, 0.0, 0.1, 0.25)
    dense_dropout: tuple[float, ...] = (0.3, 0.2, 0.1, 0.0)  # custom_cnn
    head_dropout: float = 0.2  # mobilenet_v2
    label_smoothing: float = 0.0  # where there are no teachers: what they say is soft already
    teacher_weight: float = 0.6  # of the teachers' probabilities in the target, where there are teachers
    teacher_temperature: float = 1.0  # over 1: softer teachers
    people_weight: float = 1.0  # of the people head's loss beside the label head's; 0 = it learns nothing
    frozen: tuple[str, ...] = ()  # layers whose names begin so stay as they are
    augmentation: Augmentation = _STRONG
    last_augmentation: Augmentation = _LIGHT
    last_epochs: int = 5  # with last_augmentation
    precision: str = "float32"  # Keras' dtype policy; mixed_bfloat16 where the processor gains by it

    def side_in(self, epoch: int) -> int:
        """The input side in an epoch, counted from 0."""
        return self.early_side if epoch < round(self.early_part * self.epochs) else self.side


_REFERENCE = {
    "name": "reference",
    "validation": "held out",
    "optimizer": "adam",
    "rate": 1e-3,
    "warmup": 0.0,
    "schedule": "plateau",
    "stop_patience": 6,
    "keep": "best",
    "weight_decay": 0.0,
    "clip_norm": 0.0,
    "ema": 0.0,
    "batch_norm_momentum": None,
    "batch_norm_batches": 0,
    "conv_dropout": (0.05, 0.1, 0.15, 0.2),
    "dense_dropout": (0.3, 0.25, 0.15, 0.0),
    "teacher_weight": 0.0,
    "people_weight": 0.0,
    "augmentation": NO_CHANGE,
    "last_augmentation": NO_CHANGE,
    "last_epochs": 0,
}

_CUSTOM_CNN_BEST = Recipe(name="best", network="custom_cnn", side=CUSTOM_CNN_SIDE, precision="mixed_bfloat16")
_MOBILENET_V2_BEST = Recipe(
    name="best",
    network="mobilenet_v2",
    side=MOBILENET_V2_SIDE,
    early_side=64,
    early_part=0.6,
    low=-1.0,
    start="imagenet",
    epochs=45,
    batch_size=64,
    optimizer="adamw",
    rate=8e-4,
    warmup=1.0,
    weight_decay=0.02,
    label_smoothing=0.05,
    batch_norm_momentum=0.99,
)
_FINISH = {
    "name": "finish",
    "start": None,
    "early_part": 0.0,
    "epochs": 4,
    "optimizer": "adamw",
    "rate": 2e-4,
    "warmup": 0.3,
    "ema": 0.995,  # forgets the start within an epoch
    "label_smoothing": 0.0,
    "last_epochs": 2,
    "precision": "float32",
}

RECIPES: Mapping[tuple[str, str], Recipe] = MappingProxyType(
    {
        ("custom_cnn", "best"): _CUSTOM_CNN_BEST,
        ("mobilenet_v2", "best"): _MOBILENET_V2_BEST,
        # the first two stages cost half of the time, and change least
        ("custom_cnn", "finish"): replace(_CUSTOM_CNN_BEST, frozen=("stage1", "stage2"), **_FINISH),  # type: ignore[arg-type]
        ("mobilenet_v2", "finish"): replace(_MOBILENET_V2_BEST, **_FINISH),  # type: ignore[arg-type]
        ("custom_cnn", "reference"): Recipe(
            network="custom_cnn",
            side=CUSTOM_CNN_SIDE,
            epochs=100,
            **_REFERENCE,  # type: ignore[arg-type]
        ),
        ("mobilenet_v2", "reference"): Recipe(
            network="mobilenet_v2",
            side=MOBILENET_V2_SIDE,
            start="imagenet",
            epochs=60,
            plateau_factor=0.8,
            **_REFERENCE,  # type: ignore[arg-type]
        ),
    }
)
"""(network, name) → recipe.

`reference` repeats the reference work; `best` is femr's own; `finish` is a short, gentle run from a trained network,
with PublicTest added (see `femr.training.finish`).
"""


def find(network: str, name: str) -> Recipe:
    """The recipe of that name for a network. Raises: ModelError, with the choices."""
    if (network, name) not in RECIPES:
        choices = ", ".join(f"{one} {other}" for one, other in RECIPES)
        raise ModelError(f"Expected a network and recipe: {choices}. Received: {network} {name}")
    return RECIPES[network, name]
