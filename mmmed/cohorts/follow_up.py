"""Visits without a scan: what rules that look ahead need, and what nobody acquired."""

from __future__ import annotations

from collections.abc import Sequence

from mmmed.cohorts.assembly import Row
from mmmed.cohorts.register import Register
from mmmed.cohorts.visit import session_key, subject_key


def known_only(register: Register, rows: Sequence[Row]) -> list[Row]:
    """Visits, and people without any, that only tables know."""
    found = {(subject_key(row.subject), session_key(row.session or "")) for row in rows}
    placed = {id(one) for row in rows for one in register.near(row.subject, row.day)}
    names = {subject_key(row.subject): row.subject for row in rows}
    rest: list[Row] = []
    for key in dict.fromkeys([*register.people, *register.visits, *register.dated]):
        subject = names.get(key, f"sub-{key}")
        visits = register.visits.get(key, {})
        dated = register.dated.get(key, [])
        if not visits and not dated and key not in names:
            cells = register.cells(key, None)
            rest.append(Row(subject, subject, None, cells, {}, found=False))
        rest += [
            Row(
                id=f"{subject}_ses-{session}",
                subject=subject,
                session=f"ses-{session}",
                cells=register.cells(key, session),
                sources={},
                month=register.month(key, session),
                day=visit.day,
                found=False,
            )
            for session, visit in visits.items()
            if (key, session) not in found
        ]
        rest += [
            Row(
                id=f"{subject}_ses-{one.day:%Y%m%d}",
                subject=subject,
                session=f"ses-{one.day:%Y%m%d}",
                cells={**register.person(key, [one.cells]), **one.cells},
                sources={},
                day=one.day,
                found=False,
            )
            for one in dated
            if id(one) not in placed and (key, f"{one.day:%Y%m%d}") not in found
        ]
    return rest
