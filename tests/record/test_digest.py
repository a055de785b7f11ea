"""Digests against the standard's own test vectors."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmed.record import digest

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""SHA-256 of "abc": FIPS 180-2, appendix B.1."""


def test_the_digest_of_a_file_is_its_sha_256(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert digest.of_file(tmp_path / "file") == ABC


def test_the_digest_of_a_value_ignores_the_order_of_keys_and_nothing_else() -> None:
    value = {"a": [1, 2.5, None, True], "b": {"c": "ü"}}
    assert digest.of_value({"b": {"c": "ü"}, "a": [1, 2.5, None, True]}) == digest.of_value(value)
    others = ([2.5, 1, None, True], [1, 2.5, None, False], [1, 2.5000000000000004, None, True])
    digests = {digest.of_value({**value, "a": other}) for other in others}
    assert len(digests | {digest.of_value(value)}) == 4


def test_what_json_cannot_hold_has_no_digest() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest.of_value(float("nan"))
    with pytest.raises(TypeError, match="not JSON serializable"):
        digest.of_value(Path("x"))
