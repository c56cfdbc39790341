"""Check digits of LOINC and SNOMED CT codes: a misprint becomes visible before the code is used.

Sources: LOINC Users' Guide (modulus 10), SNOMED CT Release File Guide (Verhoeff's dihedral check).
"""

# The multiplication table of the dihedral group D5 and the permutation of Verhoeff's scheme.
_DIHEDRAL = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_PERMUTATION = "1576283094"
# An SCTID has 6 to 18 digits.
_SHORTEST_SCTID, _LONGEST_SCTID = 6, 18


def is_loinc_code(code: str) -> bool:
    """Tell whether a text has the form of a LOINC code, digits and a check digit that fits. Any text is accepted."""
    body, hyphen, check = code.partition("-")
    if not (hyphen and _is_digits(body) and _is_digits(check) and len(check) == 1):
        return False
    # Every second digit from the right is doubled, and the digits of the products are added.
    digits = [int(digit) for digit in reversed(body)]
    total = sum(sum(divmod(2 * digit, 10)) if place % 2 == 0 else digit for place, digit in enumerate(digits))
    return (total + int(check)) % 10 == 0


def is_snomed_code(code: str) -> bool:
    """Tell whether a text has the form of a SNOMED CT identifier with a check digit that fits. Any text is accepted."""
    if not (_is_digits(code) and _SHORTEST_SCTID <= len(code) <= _LONGEST_SCTID and code[0] != "0"):
        return False
    state = 0
    for place, digit in enumerate(reversed(code)):
        value = int(digit)
        for _ in range(place % 8):
            value = int(_PERMUTATION[value])
        state = int(_DIHEDRAL[state][value])
    return state == 0


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
