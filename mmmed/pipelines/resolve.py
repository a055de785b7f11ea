"""A study with everything it names, as plain values: what a run records and digests."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mmmed import library
from mmmed.cohorts.dicom_cohort import DICOM, DicomCohort, load_dicom
from mmmed.cohorts.fold_list import files_of
from mmmed.cohorts.split_spec import Lists
from mmmed.errors import Collecting, StudyError, join
from mmmed.mechanism import Listed, Single, TestProtocol, Together
from mmmed.models.building import cramped, weights_file
from mmmed.pipelines.external_faults import external_faults
from mmmed.pipelines.materialise import Chosen, choose
from mmmed.pipelines.study import Study
from mmmed.pipelines.trials import Trial, trials
from mmmed.record import digest
from mmmed.transforms.chain import Chain, load_chain


@dataclass(frozen=True)
class Resolved:
    """A study, the cohort and the chains it names.

    Attributes:
        study: its settings.
        cohort: that it names, with its overrides.
        chains: modality -> chain.
        origins: YAML that was read -> where it came from and its SHA-256.
        files: file that the study itself names -> SHA-256: starting weights, lists of the hidden
            and of folds.
        dicom: how a package of the study reads a folder of DICOM, without the folder and its
            tables; None where no chain takes a scan as acquired.
        external: the cohorts on which its models are only tested.
    """

    study: Study
    cohort: Chosen
    chains: Mapping[str, Chain]
    origins: Mapping[str, Mapping[str, str]]
    files: Mapping[str, str]
    dicom: DicomCohort | None = None
    external: tuple[Chosen, ...] = ()

    @property
    def suv(self) -> frozenset[str]:
        """Modalities for whose chains any linear unit of a PET is not enough."""
        return frozenset(name for name, chain in self.chains.items() if not chain.scale_free)

    def values(self) -> dict[str, Any]:
        """The whole as plain values, independent of where the YAMLs lie."""
        plain = self.study.model_dump(mode="json")
        plain["cohort"] = _plain(self.cohort)
        plain.pop("external")
        if self.external:
            plain["external"] = [_plain(one) for one in self.external]
        plain["transforms"] = {
            modality: {"name": self.study.transforms[modality], **chain.model_dump(mode="json")}
            for modality, chain in self.chains.items()
        }
        if self.dicom is not None:
            plain["dicom"] = self.dicom.model_dump(mode="json", exclude_defaults=True)
        return plain

    @property
    def digest(self) -> str:
        """SHA-256 of the plain values: two runs of one digest are runs of the same study."""
        return digest.of_value(self.values())

    def text(self) -> str:
        """The whole as YAML, with the origins as comments."""
        lines = [
            f"# {name}: {origin['origin']} {origin['path']} sha256:{origin['sha256'][:16]}"
            for name, origin in self.origins.items()
        ]
        body = yaml.safe_dump({"mmmed": 1, **self.values()}, sort_keys=False, allow_unicode=True)
        return "\n".join([*lines, body])


def resolve(study: Study, *, start: Path | None, origin: library.Found | None = None) -> Resolved:
    """Read the cohort and the chains that a study names.

    Args:
        study: its settings.
        start: where the search for a workspace begins.
        origin: the file of the study itself; None for one that was made otherwise.

    Raises:
        StudyError: one line per file that is missing or faulty, modality that does not agree, or
            method that cannot learn as it stands.
    """
    faults = [*_protocol_faults(study), *_method_faults(study)]
    drawn: Mapping[str, tuple[Trial, ...]] = {}
    with Collecting(faults):
        drawn = trials(study)
    origins: dict[str, Mapping[str, str]] = {}
    if origin is not None:
        origins[f"pipelines/{origin.name}"] = _origin(origin)
    chains: dict[str, Chain] = {}
    cohort = None
    with Collecting(faults):
        cohort = choose(study.cohort, start=start)
        origins[f"cohorts/{cohort.found.name}"] = _origin(cohort.found)
        faults += _modality_faults(study, cohort)
    external: list[Chosen] = []
    for choice in study.external:
        with Collecting(faults):
            advice = f"--set 'external=[{{name: {choice.name}, root: DIR}}]'"
            external.append(choose(choice, start=start, advice=advice))
            origins[f"cohorts/{external[-1].found.name}"] = _origin(external[-1].found)
    for modality, name in study.transforms.items():
        with Collecting(faults):
            found = library.find("transforms", name, start=start)
            chains[modality] = load_chain(found)
            origins[f"transforms/{name}"] = _origin(found)
    if cohort is not None:
        faults += _chain_faults(study, cohort, chains, drawn)
        faults += external_faults(study.study, study.transforms, cohort, external)
    if cohort is None or faults:
        raise StudyError(join(dict.fromkeys(faults)))
    dicom = _dicom(cohort, chains, start=start)
    if dicom is not None and not isinstance(cohort.reading, DicomCohort):
        origins[f"cohorts/{DICOM}"] = _origin(library.find("cohorts", DICOM, start=start))
    return Resolved(
        study=study,
        cohort=cohort,
        chains=chains,
        origins=origins,
        files=named_files(study),
        dicom=dicom,
        external=tuple(external),
    )


def _dicom(
    cohort: Chosen, chains: Mapping[str, Chain], *, start: Path | None
) -> DicomCohort | None:
    """The cohort's own rules, else those of `cohorts/dicom-series`, for what can be registered.

    Raises:
        StudyError: the rules are faulty.
    """
    taken = [name for name, chain in chains.items() if chain.registers is not None]
    if not taken:
        return None
    own = cohort.reading
    rules = own if isinstance(own, DicomCohort) else load_dicom(DICOM, start=start)
    return rules.only(taken)


def _plain(cohort: Chosen) -> dict[str, Any]:
    """A cohort as plain values, wherever its YAML lies."""
    return {"name": cohort.found.name, **cohort.spec.model_dump(mode="json")}


def _modality_faults(study: Study, cohort: Chosen) -> list[str]:
    modalities = cohort.reading.modalities
    return [
        f"study {study.study}: transforms.{name}: the cohort {cohort.found.name} has no such "
        f"modality ({', '.join(modalities)})"
        for name in study.transforms
        if name not in modalities
    ]


def _chain_faults(
    study: Study,
    cohort: Chosen,
    chains: Mapping[str, Chain],
    drawn: Mapping[str, tuple[Trial, ...]],
) -> list[str]:
    """Chains for another kind of item, without their guide, or too small for a method."""
    kinds = {name: one.kind for name, one in cohort.reading.modalities.items()}
    strange = [
        f"study {study.study}: transforms.{name}: the chain {study.transforms[name]} is for items "
        f"of kind {chain.item}, not {kinds[name]}; name another"
        for name, chain in chains.items()
        if name in kinds and chain.item != kinds[name]
    ]
    lost = [
        f"study {study.study}: transforms.{name}: the chain {study.transforms[name]} registers "
        f"through {chain.through}, which is no other modality of the study; name it under "
        "transforms, or a chain that registers alone"
        for name, chain in chains.items()
        if chain.through is not None and chain.through not in set(study.transforms) - {name}
    ]
    spaces = {name: chain.space for name, chain in chains.items()}
    known = {name: space for name, space in spaces.items() if space is not None}
    small = [
        f"study {study.study}: methods.{index}: {line}"
        for index, method in enumerate(study.methods)
        for one in (method, *(trial.method for trial in drawn.get(method.name, ())))
        for line in cramped(one, known)
    ]
    return strange + lost + small


def _protocol_faults(study: Study) -> list[str]:
    modalities = set(study.transforms)
    return [
        f"study {study.study}: protocols.{part}.{index}.modality: {name!r} is none of the study's "
        f"modalities ({', '.join(sorted(modalities))})"
        for part, protocols in (("train", study.protocols.train), ("test", study.protocols.test))
        for index, protocol in enumerate(protocols)
        for single in (protocol.protocols if isinstance(protocol, Together) else (protocol,))
        for name in _hidden_by(single)
        if name not in modalities
    ]


def _method_faults(study: Study) -> list[str]:
    return [
        f"study {study.study}: methods.{index}: {method.lacks}"
        for index, method in enumerate(study.methods)
        if method.lacks
    ]


def _hidden_by(protocol: Single | TestProtocol) -> tuple[str, ...]:
    """The modalities a protocol names; none for `any` and for protocols that name none."""
    named = getattr(protocol, "modality", ())
    if isinstance(named, str):
        return () if named == "any" else (named,)
    return tuple(named)


def _origin(found: library.Found) -> dict[str, str]:
    return {"origin": found.origin, "path": str(found.path), "sha256": found.digest}


def named_files(study: Study) -> dict[str, str]:
    """The digests of the files a study names; whoever needs one that cannot be read says so."""
    trained = [single for one in study.protocols.trainings for single in one.protocols]
    protocols = (*trained, *study.protocols.test)
    lists = [one.file for one in protocols if isinstance(one, Listed)]
    weights = [file for file in map(weights_file, study.methods) if file is not None]
    folds: list[Path] = []
    if isinstance(study.splits, Lists):
        with suppress(StudyError):
            folds = files_of(study.splits.files)
    found = {}
    for path in dict.fromkeys([*lists, *weights, *folds]):
        with suppress(OSError):
            found[str(path)] = digest.of_file(path)
    return found
