"""What a learned service time belongs to: one pod template, on one GPU product, with one version of the model."""

from dataclasses import dataclass
from typing import Final

from inference_cost.model.reading import Missing, MissingReason

UNKNOWN: Final = Missing(reason=MissingReason.NOT_EXPORTED)
SEVERAL: Final = Missing(reason=MissingReason.AMBIGUOUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileKey:
    """What is not known is a key of its own: nothing says that it is the same as something known."""

    template_hash: str
    gpu_product: str | Missing = UNKNOWN
    model_version: str | Missing = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class OfOneKind(ProfileKey):
    """What is known of one kind of replica."""

    @property
    def key(self) -> ProfileKey:
        return ProfileKey(
            template_hash=self.template_hash,
            gpu_product=self.gpu_product,
            model_version=self.model_version,
        )

    def is_of(self, key: ProfileKey) -> bool:
        return (self.template_hash, self.gpu_product, self.model_version) == (
            key.template_hash,
            key.gpu_product,
            key.model_version,
        )
