"""A study with everything it names, as plain values: what a run records and digests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mmmed import library
from mmmed.errors import StudyError, join
from mmmed.pipelines.materialise import Chosen, choose
from mmmed.pipelines.study import Study
from mmmed.record import digest
from mmmed.transforms.chain import Chain, load_chain


@dataclass(frozen=True)
class Resolved:
    """A study, the cohort and the chains it names.

    Attributes:
        chains: modality -> chain.
        origins: what was read -> where it came from and its SHA-256.
    """

    study: Study
    cohort: Chosen
    chains: Mapping[str, Chain]
    origins: Mapping[str, Mapping[str, str]]

    def values(self) -> dict[str, Any]:
        """The whole as plain values, independent of where the YAMLs lie."""
        plain = self.study.model_dump(mode="json")
        plain["cohort"] = {
            "name": self.cohort.found.name,
            **self.cohort.spec.model_dump(mode="json"),
        }
        plain["transforms"] = {
            modality: {"name": self.study.transforms[modality], **chain.model_dump(mode="json")}
            for modality, chain in self.chains.items()
        }
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


def resolve(study: Study, *, start: Path | None) -> Resolved:
    """Read the cohort and the chains that a study names.

    Raises:
        StudyError: a file is missing or faulty, or the modalities do not agree.
    """
    cohort = choose(study.cohort, start=start)
    modalities = cohort.reading.modalities
    faults = [
        f"study {study.study}: transforms.{name}: the cohort {cohort.found.name} has no such "
        f"modality ({', '.join(modalities)})"
        for name in study.transforms
        if name not in modalities
    ]
    faults += _protocol_faults(study, set(study.transforms))
    if faults:
        raise StudyError(join(faults))
    chains: dict[str, Chain] = {}
    origins = {f"cohorts/{cohort.found.name}": _origin(cohort.found)}
    for modality, name in study.transforms.items():
        found = library.find("transforms", name, start=start)
        chains[modality] = load_chain(found)
        origins[f"transforms/{name}"] = _origin(found)
    return Resolved(study=study, cohort=cohort, chains=chains, origins=origins)


def _protocol_faults(study: Study, modalities: set[str]) -> list[str]:
    faults = []
    for part in ("train", "test"):
        for index, protocol in enumerate(getattr(study.protocols, part)):
            named = getattr(protocol, "modality", ())
            for name in (named,) if isinstance(named, str) else named:
                if name not in modalities | {"any"}:
                    faults.append(
                        f"study {study.study}: protocols.{part}.{index}.modality: {name!r} is "
                        f"none of the study's modalities ({', '.join(sorted(modalities))})"
                    )
    return faults


def _origin(found: library.Found) -> dict[str, str]:
    return {"origin": found.origin, "path": str(found.path), "sha256": found.digest}
