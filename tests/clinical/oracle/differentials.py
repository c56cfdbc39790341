"""All readings of one differential, by trying every basis, method and set of parts; and what they say together.

Words are P, N, L (platelets, neutrophils, lymphocytes), S, B, V (segmented, band forms, variant lymphocytes), with m
for a code that says manual and % for a share of the leukocytes: "Nm%=60" are neutrophils in percent by hand.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

WHOLE = Fraction(101)
FAR = Fraction(15, 100)
Values = dict[str, Fraction]
# Neutrophils, lymphocytes, and which method both totals are of; None for parts and for two methods.
Ratio = tuple[Fraction, Fraction, str | None]


def read_words(text: str) -> Values:
    """Read "P=100 N=6 L=1"."""
    return {name: Fraction(value) for name, _, value in (word.partition("=") for word in text.split())}


def judge_differential(text: str, cutoff: Fraction) -> tuple[Fraction | None, str]:
    """Return SII as it is printed, or None with the reason why there is none."""
    values = read_words(text)
    by_basis = {share: _ratios({k.replace("%", ""): v for k, v in values.items() if ("%" in k) == bool(share)}, share)
                for share in ("", "%")}  # fmt: skip
    ratios = by_basis[""] + by_basis["%"]
    if not ratios:
        return None, "missing-neutrophils"
    if ratios[0][1] == 0:
        return None, "zero-lymphocytes"
    if any(lymphocytes == 0 for _, lymphocytes, _ in ratios) or _contradict(by_basis):
        return None, "differential-inconsistent"
    siis = [values["P"] * neutrophils / lymphocytes for neutrophils, lymphocytes, _ in ratios]
    if len({sii > cutoff for sii in siis}) > 1:
        return None, "differential-inconsistent"
    return siis[0], ""


def _ratios(values: Values, share: str) -> list[Ratio]:
    """Return the readings of one basis: reported totals, automated first, then all that parts make of them."""
    totals: list[Ratio] = [
        (values[f"N{method}"], values[f"L{method}"], method or "automated")
        for method in ("", "m")
        if f"N{method}" in values and f"L{method}" in values
    ]
    if not totals and _either(values, "N", "") is not None and _either(values, "L", "") is not None:
        totals = [(_must(values, "N", ""), _must(values, "L", ""), None)]
    made: list[Ratio] = []
    for neutrophils, lymphocytes, method in totals:
        name = "m" if method == "m" else ""
        bands = _either(values, "B", name) if _either(values, "S", name) is None else None
        made += _with_parts(neutrophils, lymphocytes, bands, _either(values, "V", name), share)
    for method in ("", "m"):
        segmented, bands, beside = (
            values.get(f"S{method}"),
            _either(values, "B", method),
            _either(values, "L", method),
        )
        if segmented is not None and bands is not None and beside is not None and segmented + bands > 0:
            total = segmented + bands
            if not share or total + beside <= WHOLE:
                made.append((total, beside, None))
                made += _with_parts(total, beside, None, _either(values, "V", method), share)
    return totals + made


def _with_parts(
    neutrophils: Fraction, lymphocytes: Fraction, bands: Fraction | None, variants: Fraction | None, share: str
) -> list[Ratio]:
    found: list[Ratio] = []
    for more, also in product({Fraction(0), bands or Fraction(0)}, {Fraction(0), variants or Fraction(0)}):
        if (more or also) and (not share or neutrophils + more + lymphocytes + also <= WHOLE):
            found.append((neutrophils + more, lymphocytes + also, None))
    return found


def _contradict(by_basis: dict[str, list[Ratio]]) -> bool:
    """Tell whether counts and shares of one method are more than 15 % apart."""
    counts = {method: n / lym for n, lym, method in by_basis[""] if method}
    shares = {method: n / lym for n, lym, method in by_basis["%"] if method}
    return any(abs(counts[m] - shares[m]) / counts[m] > FAR for m in counts if m in shares)


def _either(values: Values, name: str, method: str) -> Fraction | None:
    other = "" if method else "m"
    return values.get(f"{name}{method}", values.get(f"{name}{other}"))


def _must(values: Values, name: str, method: str) -> Fraction:
    found = _either(values, name, method)
    if found is None:
        raise ValueError(name)
    return found
