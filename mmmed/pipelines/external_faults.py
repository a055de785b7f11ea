"""What the settings of external cohorts already contradict, before a file of theirs is opened."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mmmed.pipelines.materialise import Chosen


def external_faults(
    study: str, modalities: Collection[str], own: Chosen, external: Sequence[Chosen]
) -> list[str]:
    """One line per fault.

    Args:
        study: its name.
        modalities: that the study uses.
        own: the cohort that models are made from.
        external: the cohorts that they are tested on as well.
    """
    names = [own.found.name, *(one.found.name for one in external)]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    faults = [
        f"study {study}: external: two cohorts are called {name}, and tables tell cohorts apart by "
        "name; copy its file in cohorts/ to another name"
        for name in twice
    ]
    kinds = {name: one.kind for name, one in own.reading.modalities.items()}
    for index, one in enumerate(external):
        mine = {name: said.kind for name, said in one.reading.modalities.items()}
        where = f"study {study}: external.{index}: the cohort {one.found.name}"
        shared = [name for name in modalities if name in mine]
        if not shared:
            faults.append(
                f"{where} has none of the study's modalities ({', '.join(sorted(modalities))}) but "
                f"{', '.join(mine)}; name the same things alike in both files"
            )
        faults += [
            f"{where}: {name} is of kind {mine[name]}, in {own.found.name} of kind {kinds[name]}"
            for name in shared
            if name in kinds and mine[name] != kinds[name]
        ]
    return faults
