from __future__ import annotations

import pytest

from mmmed.cohorts.label import Label, positive_class
from mmmed.errors import StudyError


def test_the_positive_class_is_the_second_of_two_unless_named():
    assert positive_class(("CN", "AD"), None) == "AD"
    assert positive_class(("CN", "AD"), "CN") == "CN"
    assert positive_class(("a", "b", "c"), None) is None


def test_a_positive_class_that_is_no_class_is_refused():
    with pytest.raises(StudyError, match="positive: 'Ad' is no class; did you mean 'AD'"):
        positive_class(("CN", "AD"), "Ad")


@pytest.mark.parametrize("classes", [["CN"], [], ["CN", "CN"]])
def test_a_label_needs_two_different_classes(classes):
    with pytest.raises(ValueError, match="classes"):
        Label.model_validate({"column": "dx", "classes": classes})
