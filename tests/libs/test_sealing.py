"""Secrets that must be read again."""

from application.libs.sealing import seal, unseal

KEY = "0123456789abcdef" * 2


class TestUnseal:
    def test_reads_what_was_sealed(self) -> None:
        sealed = seal("geheim: 电池", key=KEY, purpose="test")
        assert unseal(sealed, key=KEY, purpose="test") == "geheim: 电池"
        assert "geheim" not in sealed
        assert sealed != seal("geheim: 电池", key=KEY, purpose="test")

    def test_reads_nothing_under_another_key_or_for_another_purpose(self) -> None:
        sealed = seal("secret", key=KEY, purpose="test")
        assert unseal(sealed, key=KEY[::-1], purpose="test") is None
        assert unseal(sealed, key=KEY, purpose="tests") is None

    def test_reads_nothing_that_was_changed(self) -> None:
        sealed = seal("secret", key=KEY, purpose="test")
        for changed in (
            "",
            "x",
            sealed[:-1],
            f"A{sealed[1:]}",
            sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:],
        ):
            assert unseal(changed, key=KEY, purpose="test") is None
