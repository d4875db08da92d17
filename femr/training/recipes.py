"""Every hyperparameter of training, once, with a remark. A recipe, a seed and the data are all a run depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from femr.errors import ModelError
from femr.expression import networks


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How far and how often faces are changed. Probabilities are 0 to 1; zero everywhere leaves the faces alone."""

    flip: float = 0.5  # probability of mirroring
    warp: float = 1.0  # probability of rotation, zoom and shift together
    rotation: float = 0.0  # degrees either way
    zoom: float = 0.0  # crop scale exp(-zoom) to exp(+zoom)
    shift: float = 0.0  # of the side, either way
    wide: float = 0.0  # probability of a detector-like crop scale
    light: float = 0.0  # probability of brightness and contrast
    gamma: float = 0.0  # probability of a gamma curve
    dim: float = 0.0  # probability of dim light with noise
    blur: float = 0.0  # probability of a Gaussian blur
    jpeg: float = 0.0  # probability of JPEG artefacts
    erase: float = 0.0  # probability of one erased rectangle


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
    """All hyperparameters of one training run."""

    name: str
    network: str  # a key of NETWORKS
    early_side: int = 0  # progressive resizing: a smaller, faster side to begin with; mobilenet_v2 only
    early_part: float = 0.0  # of the epochs, with early_side
    start: str | None = None  # "imagenet", or None: untrained
    epochs: int = 60
    batch_size: int = 128
    optimizer: Literal["muon", "adamw"] = "muon"
    rate: float = 6e-4  # the highest learning rate; a cosine takes it to zero at the end
    warmup: float = 0.3  # epochs of linear warm-up
    weight_decay: float = 0.05  # decoupled, kernels only
    clip_norm: float = 1.0  # of the whole gradient
    ema: float = 0.998  # momentum of the averaged weights
    batch_norm_momentum: float = 0.97
    batch_norm_batches: int = 100  # training batches that re-estimate the statistics at the end
    # custom_cnn, after each stage; in the large first stages it costs a fifth of the time
    conv_dropout: tuple[float, ...] = (0.0, 0.0, 0.1, 0.25)
    dense_dropout: tuple[float, ...] = (0.3, 0.2, 0.1, 0.0)  # custom_cnn
    label_smoothing: float = 0.0  # where there are no teachers: soft labels are smooth already
    teacher_weight: float = 0.6  # of the soft labels in the target, where there are teachers
    frozen: tuple[str, ...] = ()  # layers whose names begin so stay as they are
    augmentation: Augmentation = _STRONG
    last_augmentation: Augmentation = _LIGHT
    last_epochs: int = 5  # with last_augmentation
    precision: str = "float32"  # Keras' dtype policy; mixed_bfloat16 where the processor gains by it

    @property
    def spec(self) -> networks.NetworkSpec:
        """What is known of the network: its input side and span."""
        return networks.NETWORKS[self.network]

    def side_in(self, epoch: int) -> int:
        """The input side in an epoch, counted from 0."""
        return self.early_side if epoch < round(self.early_part * self.epochs) else self.spec.side

    def augmentation_in(self, epoch: int) -> Augmentation:
        """How far faces are changed in an epoch, counted from 0."""
        return self.augmentation if epoch < self.epochs - self.last_epochs else self.last_augmentation


_CUSTOM_CNN_BEST = Recipe(name="best", network="custom_cnn", precision="mixed_bfloat16")
_MOBILENET_V2_BEST = Recipe(
    name="best",
    network="mobilenet_v2",
    early_side=64,
    early_part=0.6,
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


def _finish(best: Recipe, frozen: tuple[str, ...] = ()) -> Recipe:
    """The short, gentle run from a trained network that also learns from PublicTest."""
    return replace(
        best,
        name="finish",
        frozen=frozen,
        start=None,
        early_part=0.0,
        epochs=4,
        optimizer="adamw",
        rate=2e-4,
        warmup=0.3,
        ema=0.995,  # forgets the start within an epoch
        label_smoothing=0.0,
        last_epochs=2,
        precision="float32",
    )


RECIPES: Mapping[tuple[str, str], Recipe] = {
    (recipe.network, recipe.name): recipe
    for recipe in (
        _CUSTOM_CNN_BEST,
        _MOBILENET_V2_BEST,
        # the first two stages cost half of the time, and change least
        _finish(_CUSTOM_CNN_BEST, frozen=("stage1", "stage2")),
        _finish(_MOBILENET_V2_BEST),
    )
}


def find(network: str, name: str) -> Recipe:
    """The recipe of that name for a network. Raises ModelError, with the choices."""
    if (network, name) not in RECIPES:
        choices = ", ".join(map(" ".join, RECIPES))
        raise ModelError(f"Expected a network and recipe: {choices}. Received: {network} {name}")
    return RECIPES[network, name]
