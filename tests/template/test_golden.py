"""A copy of what CloudFormation is given, so that every change of it shows in review.

`UPDATE_GOLDEN=1 pytest template` writes the copy.
"""

import json
import os
import pathlib

from support import template

COPY = pathlib.Path(__file__).with_name("golden.json")


def test_transformed_template_is_the_copy():
    text = json.dumps(template.transformed(), indent=1, sort_keys=True) + "\n"
    if "UPDATE_GOLDEN" in os.environ:
        COPY.write_text(text)
    assert text == COPY.read_text(), "look at the difference, then: UPDATE_GOLDEN=1 pytest template"


def test_transform_is_deterministic():
    assert template.transformed() == template.transformed()
