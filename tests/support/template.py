"""The template as CloudFormation sees it: after the SAM transform, without a network."""

import logging
import os
import pathlib
import re
from unittest import mock

import yaml
from samtranslator.translator.transform import transform

# It warns of switches that its own service has, and this package has not.
logging.getLogger("samtranslator.feature_toggle.feature_toggle").setLevel(logging.ERROR)

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
_CODE = re.compile(r"CodeUri: target/lambda/([a-z-]+)/")


class _Loader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions."""


def _function(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)
# Dates stay the text that they are in CloudFormation's eyes.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _NoManagedPolicies:
    """The template names none, so asking for them is a mistake."""

    def load(self):
        raise AssertionError("the template must not need IAM's managed policies")


def source(text=None):
    """The template as it is written."""
    return yaml.load(TEMPLATE.read_text() if text is None else text, _Loader)


def transformed(parameters=None):
    """The template after the transform, its code packaged under fixed names."""
    text = _CODE.sub(r"CodeUri: s3://packages/\1.zip", TEMPLATE.read_text())
    # The transform asks for a region, and makes nothing of it.
    with mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": "eu-west-1"}):
        return transform(source(text), parameters or {}, _NoManagedPolicies())
