"""Users in a log of pseudonyms: a patient who asks is named as the patient is, and everybody else as the EHR said."""

from __future__ import annotations

import pytest

from cds_service.audit.keys import pseudonym
from cds_service.audit.users import may_be, user_forms, user_in_log
from tests.unit.audit.samples import KEY, OTHER_KEY

P1 = pseudonym(KEY, "p1")

USERS = [
    ("Patient/p1", f"Patient/{P1}", "patient-view allows a patient to ask"),
    ("Patient/p2", f"Patient/{pseudonym(KEY, 'p2')}", "another patient, such as a mother"),
    ("RelatedPerson/p1", f"RelatedPerson/{P1}", "is related to one patient, so the id leads there"),
    ("https://ehr.example/fhir/Patient/p1", f"Patient/{P1}", "absolute"),
    ("Patient/p1/_history/3", f"Patient/{P1}", "with a version"),
    (" Patient/p1 ", f"Patient/{P1}", "with spaces"),
    ("patient/p1", f"Patient/{P1}", "no reference of FHIR, and an id all the same"),
    ("Patient/ p1", f"Patient/{P1}", "a space before the id"),
    ("p1", P1, "the id alone"),
    (" p1\n", P1, "the id alone, with white space"),
    ("p2", "p2", "an id alone that is not the patient's says nothing about a patient"),
    ("Practitioner/p1", "Practitioner/p1", "a practitioner of the same id is somebody else"),
    ("PractitionerRole/p1", "PractitionerRole/p1", ""),
    ("OutPatient/p1", "OutPatient/p1", "another word that ends like it"),
    ("Patient/", "Patient/", "no id"),
    ("https://e.example/patient/r4/Role/d", "https://e.example/patient/r4/Role/d", "a word of the server's address"),
    ("https://e.example/patient/r4/Patient/p1", f"Patient/{P1}", "that word, and a patient"),
    ("dr house", "dr house", "any text is accepted"),
]


@pytest.mark.parametrize(("user", "expected", "reason"), USERS)
def test_user_who_may_be_a_patient_is_a_pseudonym(user: str, expected: str, reason: str) -> None:
    assert user_in_log(KEY, user, "p1") == expected, reason


@pytest.mark.parametrize(("user", "_expected", "reason"), USERS)
def test_user_is_found_in_every_form_the_log_may_hold(user: str, _expected: str, reason: str) -> None:
    forms = user_forms(user.strip(), (KEY, OTHER_KEY))

    for key in (KEY, OTHER_KEY):
        assert user_in_log(key, user, "p1").strip() in forms, reason
    assert user.strip() in forms, "records of a site without pseudonyms, and of earlier versions"


@pytest.mark.parametrize(
    ("logged", "user", "expected", "reason"),
    [
        (f"Patient/{P1}", "Patient/p9", True, "any patient may stand behind it"),
        (f"Patient/{P1}", "https://ehr.example/fhir/Patient/p9", True, ""),
        (f"Patient/{P1}", "RelatedPerson/p9", False, "another kind of person"),
        (f"Patient/{P1}", "Practitioner/p9", False, "never a pseudonym"),
        (P1, "p9", True, "an id alone"),
        (P1, "Practitioner/p9", False, ""),
        ("Patient/p1", "Patient/p9", False, "no pseudonym"),
        ("Practitioner/p", "p9", False, "no pseudonym"),
    ],
)
def test_pseudonym_of_a_missing_key_may_be_a_user_of_its_kind(
    logged: str, user: str, expected: bool, reason: str
) -> None:
    assert may_be(logged, user) is expected, reason
