"""The nightly run: what it sends, evaluated as Step Functions would. The local AWS cannot batch items."""

import json

import jsonata
import pytest

WINDOWS = ["MTD", "QTD", "YTD", "1Y", "3Y", "5Y", "ITD"]


@pytest.fixture(scope="module")
def definition(resources):
    return resources["NightlyStateMachine"]["Properties"]["Definition"]


@pytest.fixture(scope="module")
def entities(definition):
    return definition["States"]["Books"]["ItemProcessor"]["States"]["Entities"]


def evaluated(expression, states):
    """A JSONata field of a state."""
    program = jsonata.Jsonata(expression.removeprefix("{%").removesuffix("%}"))
    frame = program.create_frame()
    frame.bind("states", states)
    return program.evaluate({}, frame)


@pytest.mark.parametrize("count", [1, 50])
def test_a_batch_of_entities_is_a_message_for_each_window(entities, count):
    send = entities["ItemProcessor"]["States"]["Send"]
    names = [f"port-{number}" for number in range(count)]
    states = {
        "input": {
            "BatchInput": {"client_id": "acme", "entity_type": "portfolio"},
            "Items": [{"entity_id": name} for name in names],
        },
        "context": {"Execution": {"Name": "1f0c"}},
    }
    entries = evaluated(send["Arguments"]["Entries"], states)
    assert [entry["Id"] for entry in entries] == WINDOWS
    for entry in entries:
        assert json.loads(entry["MessageBody"]) == {
            "version": 1,
            "type": "batch_calculation",
            "request_id": f"nightly-1f0c-{entry['Id']}",
            "client_id": "acme",
            "entity_type": "portfolio",
            "entity_ids": names,
            "time_period": entry["Id"],
        }


def test_a_batch_is_what_one_message_computes(entities):
    assert entities["ItemBatcher"]["MaxItemsPerBatch"] == 50
    # books/CLIENT/ENTITY_TYPE.csv
    assert entities["ItemBatcher"]["BatchInput"] == {
        "client_id.$": "States.ArrayGetItem(States.StringSplit($.Key, '/'), 1)",
        "entity_type.$": "States.ArrayGetItem(States.StringSplit(States.ArrayGetItem(States.StringSplit($.Key, '/'), 2), '.'), 0)",
    }


@pytest.mark.parametrize(("result", "all_sent"), [({"Successful": []}, True), ({"Failed": []}, True), ({"Failed": [{}]}, False)])
def test_a_message_that_was_left_behind_fails_the_run(entities, result, all_sent):
    states = entities["ItemProcessor"]["States"]
    output = evaluated(states["Send"]["Output"], {"result": result})
    choice, = states["AllSent"]["Choices"]
    assert evaluated(choice["Condition"], {"input": output}) is all_sent
    assert choice["Next"] == "Done" and states["AllSent"]["Default"] == "SomeNotSent"
    assert states["SomeNotSent"]["Type"] == "Fail"


def test_it_is_made_on_request_only(resources):
    nightly = {name for name, resource in resources.items() if resource.get("Condition") == "HasNightly"}
    assert nightly == {name for name in resources if name.startswith("Nightly")}
