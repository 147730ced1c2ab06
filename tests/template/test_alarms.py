"""Alarms that can fire: names that metrics carry, and somebody who is told."""

import json
import re

import pytest

from support.template import ROOT


@pytest.fixture(scope="module")
def alarms(resources):
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


FUNCTIONS = ["ApiHandler", "PerformanceCalculator", "EventProcessor", "JwtAuthorizer"]


def test_alarms_are_those_that_operations_describes(alarms):
    of_functions = {f"{name}{kind}Alarm" for name in FUNCTIONS for kind in ("Error", "Throttle", "Duration")}
    others = {
        "ApiErrorAlarm",
        "ApiClientErrorAnomalyAlarm",
        "AuthorizerDenialAlarm",
        "DeadLetterAlarm",
        "QueueAgeAlarm",
        "NightlyFailureAlarm",
    }
    assert set(alarms) == of_functions | others


def test_silence_is_no_alarm_and_alarms_are_sent(alarms):
    conditional = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    for name, alarm in alarms.items():
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert alarm["AlarmActions"] in (conditional, [{"Ref": "AlarmTopicArn"}]), name


def metrics(alarm):
    if "Metrics" not in alarm:
        return [alarm]
    return [part["MetricStat"]["Metric"] for part in alarm["Metrics"] if "MetricStat" in part]


def test_dimensions_are_the_names_that_metrics_carry(alarms, resources):
    name_of_api = {"Fn::Sub": "${AWS::StackName}-api"}
    assert resources["ApiGateway"]["Properties"]["Name"] == name_of_api
    for name, alarm in alarms.items():
        for metric in metrics(alarm):
            dimensions = {part["Name"]: part["Value"] for part in metric.get("Dimensions", [])}
            namespace = metric["Namespace"]
            if namespace == "AWS/ApiGateway":
                assert dimensions == {"ApiName": name_of_api, "Stage": {"Ref": "Stage"}}, name
            elif namespace == "AWS/Lambda":
                function = dimensions.pop("FunctionName")["Ref"]
                assert resources[function]["Type"] == "AWS::Lambda::Function" and not dimensions, name
            elif namespace == "AWS/SQS":
                queue, attribute = dimensions.pop("QueueName")["Fn::GetAtt"]
                assert attribute == "QueueName" and resources[queue]["Type"] == "AWS::SQS::Queue", name
            elif namespace == "AWS/States":
                assert dimensions == {"StateMachineArn": {"Ref": "NightlyStateMachine"}}, name
            else:
                transformation, = resources["AuthorizerDenialFilter"]["Properties"]["MetricTransformations"]
                assert transformation["MetricNamespace"] == namespace, name
                assert transformation["MetricName"] == metric["MetricName"], name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_duration_alarms_before_the_timeout(alarms, functions, name):
    alarm = alarms[f"{name}DurationAlarm"]
    assert alarm["Threshold"] == 800 * functions[f"{name}Function"]["Timeout"]
    assert alarm["ExtendedStatistic"] == "p99"


def test_dashboard_is_json_of_resources_that_exist(resources):
    text = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(text)["widgets"]
    assert len(widgets) == 8
    for name in {part.split("}")[0].split(".")[0] for part in text.split("${")[1:]}:
        assert name.startswith("AWS::") or name == "Stage" or name in resources, name


def measures():
    """Names of what the code counts, and of what it counts them by."""
    taken = set()
    for path in ROOT.glob("**/src/**/*.rs"):
        for event in re.findall(r"target: MEASURES,(.*?)\);", path.read_text().split("#[cfg(test)]")[0], re.DOTALL):
            taken |= set(re.findall(r"\b([a-z_]+)\b(?=\s*[,=]|$)", event))
    return taken


def test_dashboard_shows_measures_that_the_code_takes(resources):
    widgets = json.loads(resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]
    shown = set()
    for widget in widgets:
        namespace = None
        for metric in widget["properties"]["metrics"]:
            namespace = namespace if metric[0] in (".", "...") else metric[0]
            if namespace == "InvestmentPerformance" and metric[0] != "...":
                shown.add(metric[1])
    assert shown and shown <= measures(), shown - measures()


def test_operations_list_the_measures_that_the_code_takes():
    text = (ROOT / "docs" / "operations.md").read_text()
    table = text.split("| metric | of | what |")[1].split("\n\n")[0]
    listed = set(re.findall(r"`([a-z_]+)`", "".join(row.split("|")[1] for row in table.splitlines()[2:])))
    assert listed == measures() - {"route"}
