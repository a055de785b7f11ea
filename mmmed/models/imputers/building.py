"""From options to an imputer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmmed.modality import Modality
from mmmed.models.imputers.contract import Imputer
from mmmed.models.imputers.cyclegan import CycleGan
from mmmed.models.imputers.feature import FeatureImputer, Filler
from mmmed.models.imputers.image import ImageImputer, Translator, grid, require_translatable
from mmmed.models.imputers.options import CycleGan as CycleGanOptions
from mmmed.models.imputers.options import Diffusion as DiffusionOptions
from mmmed.models.imputers.options import ImputerOptions, Knn, Mean, Regression, Zero
from mmmed.models.imputers.options import Pix2Pix as Pix2PixOptions
from mmmed.models.imputers.pix2pix import Pix2Pix

FeatureOptions = Zero | Mean | Knn | Regression
ImageOptions = Pix2PixOptions | CycleGanOptions | DiffusionOptions


def imputer_of(
    options: ImputerOptions, modalities: Sequence[Modality], *, widths: Mapping[str, int]
) -> Imputer:
    """The imputer that the options name.

    Args:
        options: of the imputer.
        modalities: in the order of every batch.
        widths: modality -> E of its encoder.

    Raises:
        StudyError: the imputer cannot fill these modalities.
    """
    if isinstance(options, FeatureOptions):
        return FeatureImputer(widths, _filler(options, sum(widths.values())))
    require_translatable(modalities, kind=options.kind)
    return ImageImputer(
        modalities,
        _translator(options, modalities),
        shrink=options.shrink,
        pairs=options.pairs,
        rate=options.rate,
    )


def _filler(options: FeatureOptions, width: int) -> Filler:
    if isinstance(options, Zero):
        from mmmed.models.imputers.constant import ZeroFiller

        return ZeroFiller()
    if isinstance(options, Mean):
        from mmmed.models.imputers.constant import MeanFiller

        return MeanFiller(width)
    if isinstance(options, Knn):
        from mmmed.models.imputers.neighbours import NeighbourFiller

        return NeighbourFiller(width, neighbours=options.neighbours)
    from mmmed.models.imputers.regression import RegressionFiller

    return RegressionFiller(width)


def _translator(options: ImageOptions, modalities: Sequence[Modality]) -> Translator:
    channels = {one.name: one.shape[0] for one in modalities}
    if isinstance(options, DiffusionOptions):
        from mmmed.models.imputers.diffusion import Diffusion  # MONAI takes seconds to import

        return Diffusion(channels, widths=options.widths, draws=options.draws)
    if isinstance(options, Pix2PixOptions):
        return Pix2Pix(
            channels,
            widths=options.widths,
            critic=options.critic,
            l1=options.l1,
        )
    return CycleGan(
        {one.name: grid(one, shrink=options.shrink) for one in modalities},
        widths=options.widths,
        blocks=options.blocks,
        critic=options.critic,
        cycle=options.cycle,
        identity=options.identity,
        pool=options.pool,
    )
