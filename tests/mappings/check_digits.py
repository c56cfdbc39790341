"""Check digits of LOINC (mod 10) and SNOMED CT (Verhoeff), for tests."""

_DIHEDRAL = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def is_loinc_code(code: str) -> bool:
    """Doubles every second digit from the right and compares the distance to the next ten (LOINC Users' Guide)."""
    body, _, check = code.partition("-")
    if not (body.isdecimal() and len(check) == 1 and check.isdecimal()):
        return False
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return (10 - total % 10) % 10 == int(check)


def is_snomed_code(code: str) -> bool:
    """Walks the dihedral group from the right; a valid identifier ends at zero (SNOMED CT Release File Guide)."""
    if not (code.isdecimal() and 6 <= len(code) <= 18 and code[0] != "0"):
        return False
    state = 0
    for place, digit in enumerate(reversed(code)):
        value = int(digit)
        for _ in range(place % 8):
            value = _PERMUTATION[value]
        state = _DIHEDRAL[state][value]
    return state == 0
