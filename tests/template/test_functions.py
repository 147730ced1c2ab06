"""Functions: what they run on, what they read, what they may do."""

import re
import ssl

import pytest
from expectations import ACTIONS, NOT_DEPLOYED, NOT_SETTINGS, OF_EVERY_FUNCTION, VARIABLES
from support.template import ROOT

API_TIMEOUT_SECONDS = 29
RUNTIME = "provided.al2023"


def test_there_are_the_functions_that_the_tables_name(functions):
    assert set(functions) == set(ACTIONS) == set(VARIABLES)


@pytest.mark.parametrize("name", ACTIONS)
def test_runtime_and_architecture_are_those_of_the_build(functions, written, name):
    function = functions[name]
    assert function["Runtime"] == RUNTIME
    assert function["Handler"] == "bootstrap"
    assert function["Architectures"] == [{"Ref": "Architecture"}]
    assert written["Parameters"]["Architecture"]["AllowedValues"] == ["arm64", "x86_64"]
    folder = written["Resources"][name]["Properties"]["CodeUri"]
    assert re.fullmatch(r"target/lambda/[a-z-]+/", folder)


def test_functions_have_folders_of_their_own(written):
    folders = [written["Resources"][name]["Properties"]["CodeUri"] for name in ACTIONS]
    assert len(set(folders)) == len(folders)


def test_a_panic_does_not_end_the_process():
    release = (ROOT / "Cargo.toml").read_text().split("[profile.release]", 1)[1].split("\n[", 1)[0]
    assert re.search(r'^panic = "unwind"$', release, re.MULTILINE)


def test_functions_behind_the_api_answer_before_it_gives_up(functions):
    for name in ("JwtAuthorizerFunction", "ApiHandlerFunction", "PerformanceCalculatorFunction"):
        assert functions[name]["Timeout"] < API_TIMEOUT_SECONDS, name


@pytest.mark.parametrize("name", ACTIONS)
def test_variables_are_those_that_the_code_reads(functions, name):
    assert set(functions[name]["Environment"]["Variables"]) == VARIABLES[name]


def documented_settings():
    text = (ROOT / "docs" / "configuration.md").read_text()
    table = text.split("<!-- settings: generated -->", 1)[1].split("<!-- settings: end -->", 1)[0]
    names = re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)
    assert len(names) > 15
    return set(names)


def test_every_setting_reaches_a_function_and_nothing_else_does():
    given = set().union(*VARIABLES.values())
    assert given - NOT_SETTINGS == documented_settings() - set(NOT_DEPLOYED)


def test_no_environment_holds_a_secret(functions):
    for name, function in functions.items():
        variables = function["Environment"]["Variables"]
        assert "JWT_SECRET" not in variables, name
        for variable, value in variables.items():
            assert "resolve:" not in str(value), f"{name} {variable}"


@pytest.mark.parametrize("name", ACTIONS)
def test_logs_are_json_kept_for_a_while_and_calls_are_traced(functions, resources, name):
    logging = functions[name]["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    group = resources[logging["LogGroup"]["Ref"]]
    assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert functions[name]["TracingConfig"] == {"Mode": "Active"}


@pytest.mark.parametrize("name", ACTIONS)
def test_actions_are_those_that_the_code_calls(functions, resources, name):
    role = resources[functions[name]["Role"]["Fn::GetAtt"][0]]["Properties"]
    assert "ManagedPolicyArns" not in role, "managed policies grant more than the code calls"
    granted = set()
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            granted |= pairs(statement)
    assert granted == ACTIONS[name] | OF_EVERY_FUNCTION


def pairs(statement):
    """(action, resource) of a statement, a conditional one taken as if its condition held."""
    statement = statement.get("Fn::If", [None, statement])[1]
    assert statement["Effect"] == "Allow"
    actions, resources = statement["Action"], statement["Resource"]
    actions = [actions] if isinstance(actions, str) else actions
    resources = resources if isinstance(resources, list) else [resources]
    assert not any("*" in action for action in actions), actions
    return {(action, label(resource)) for action in actions for resource in resources}


def label(resource):
    """The resource in the words of expectations.py."""
    if resource == "*":
        return "*"
    (function, value), = resource.items()
    if function == "Fn::GetAtt":
        return "LogGroup" if value[0].endswith("LogGroup") else value[0]
    if function == "Fn::Sub" and ":timestream:" in value:
        return "timestream table"
    if function == "Fn::Sub":
        return re.sub(r"^\$\{(\w+)\.Arn\}", r"\1", value)
    parts = value[1]
    assert function == "Fn::Join" and parts[0]["Fn::Sub"].endswith(":s3:::performance-input-")
    return "performance-input" + "".join(parts[2:])


@pytest.mark.parametrize("name", ACTIONS)
def test_roles_are_for_lambda_alone(functions, resources, name):
    role = resources[functions[name]["Role"]["Fn::GetAtt"][0]]["Properties"]
    statement, = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert sum(other["Role"] == functions[name]["Role"] for other in functions.values()) == 1


@pytest.mark.parametrize("name", ACTIONS)
def test_releases_are_canaries_that_an_alarm_takes_back(resources, name):
    group = resources[f"{name}DeploymentGroup"]["Properties"]
    assert group["DeploymentConfigName"]["Fn::Sub"][1]["ConfigName"] == "Canary10Percent5Minutes"
    alarms = [alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]]
    assert f"{name.removesuffix('Function')}ErrorAlarm" in alarms
    assert resources[f"{name}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]


def test_nothing_is_allowed_on_every_resource_but_what_knows_none(resources):
    for name, resource in resources.items():
        if resource["Type"] not in ("AWS::IAM::Role", "AWS::IAM::Policy"):
            continue
        properties = resource["Properties"]
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
        for statement in (statement for document in documents for statement in document["Statement"]):
            statement = statement.get("Fn::If", [None, statement])[1]
            if statement["Resource"] == "*":
                actions = {statement["Action"]} if isinstance(statement["Action"], str) else set(statement["Action"])
                assert actions in (
                    {"timestream:DescribeEndpoints"},
                    {"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
                ), name


def test_certificates_are_in_every_zip_under_the_name_that_functions_read(functions, written):
    folder, _, name = written["Parameters"]["CertificateFile"]["Default"].rpartition("/")
    assert folder == "/var/task"
    assert f"cp certificates/{name} " in (ROOT / ".ci" / "package").read_text()
    context = ssl.create_default_context(cafile=ROOT / "certificates" / name)
    assert len(context.get_ca_certs()) == 5
    # The authorizer also talks to the issuer's host, which has other roots.
    assert functions["JwtAuthorizerFunction"]["Environment"]["Variables"]["SSL_CERT_FILE"] == {
        "Ref": "AuthorizerCertificateFile"
    }
