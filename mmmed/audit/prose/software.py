"""What computed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mmmed.audit.prose.record import UNKNOWN, Record, stated


def told(record: Record) -> Iterator[str]:
    """Versions, device and threads."""
    found = record.run.environment
    if not found:
        yield f"Software and machine were {UNKNOWN}."
        return
    packages = found.get("packages")
    used = packages if isinstance(packages, Mapping) else {}
    named = ", ".join(f"{name} {version}" for name, version in used.items()) or UNKNOWN
    yield (
        f"mmmed {stated(found.get('mmmed'))} on Python {stated(found.get('python'))}, with {named}."
    )
    machine = ", ".join(stated(found.get(key)) for key in ("processor", "platform"))
    yield (
        f"Machine: {machine}; device {stated(found.get('device'))}, threads per job "
        f"{stated(found.get('threads'))}."
    )
