import pytest

from support import template


@pytest.fixture(scope="session")
def written():
    """The template as it is written."""
    return template.source()


@pytest.fixture(scope="session")
def resources():
    """The resources that CloudFormation is given."""
    return template.transformed()["Resources"]


@pytest.fixture(scope="session")
def functions(resources):
    """Properties of our functions by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::Function"
    }
