"""The real template, deployed into a local AWS, and the doors through which it is driven."""

import contextlib
import io
import json
import os
import pathlib
import re
import time
import zipfile
from decimal import Decimal
import zlib

import boto3
import urllib3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config

from support import tokens
from support.ministack import REGION
from support.template import ROOT, TEMPLATE, transformed
from support.waiting import wait_until

FUNCTIONS = ("jwt-authorizer", "api-handler", "performance-calculator", "event-processor")
_PACKAGES = "packages"
_STACK = "performance"
_CODE = re.compile(r"CodeUri: target/lambda/([a-z-]+)/")
_CANARY = re.compile(r"(\n  CanaryDeployment:\n    Type: String\n    Default: )'true'")
# Of the machine that runs the tests: there is no /var/task here.
_SYSTEM_ROOTS = "/etc/ssl/certs/ca-certificates.crt"
LOCAL_PARAMETERS = {
    "Architecture": "x86_64",
    "CanaryDeployment": "false",
    "CreateTimestream": "false",
    "CertificateFile": _SYSTEM_ROOTS,
    "AuthorizerCertificateFile": _SYSTEM_ROOTS,
}


class MissingBinaries(Exception):
    """`make package` has not been run."""


def binaries_in(folder):
    """The folder, if it holds every function's bootstrap."""
    missing = [name for name in FUNCTIONS if not (pathlib.Path(folder) / name / "bootstrap").is_file()]
    if missing:
        raise MissingBinaries(f"{folder} lacks {', '.join(missing)}: run make package")
    return pathlib.Path(folder)


def built_binaries():
    """The folder of the built functions; `STACK_BINARIES` names another than `make package` fills."""
    return binaries_in(os.environ.get("STACK_BINARIES", ROOT / "target" / "lambda"))


def zipped(folder):
    """A function's folder as Lambda takes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(pathlib.Path(folder).iterdir()):
            entry = zipfile.ZipInfo(path.name)
            entry.external_attr = 0o755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


class _Deserializer(TypeDeserializer):
    """Numbers as they come: the local DynamoDB writes out large ones with more digits than the real one has."""

    def _deserialize_n(self, value):
        return Decimal(value)


def _plain(item):
    return {name: _Deserializer().deserialize(value) for name, value in item.items()}


class Answer:
    """What came back over HTTP."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self.text = response.data.decode()

    def json(self):
        """The body; numbers with a point stay text, so that no digit is lost."""
        return json.loads(self.text, parse_float=str)

    def __repr__(self):
        return f"{self.status} {self.text[:2000]}"


class Stack:
    """A deployed stack."""

    def __init__(self, endpoint, parameters=None):
        self.endpoint = endpoint
        self.parameters = LOCAL_PARAMETERS | (parameters or {})
        self.outputs = {}
        self._http = urllib3.PoolManager(maxsize=32, retries=False, timeout=urllib3.Timeout(60))
        self._clients = {}

    def client(self, service):
        """A client of the local AWS itself: faults between it and the functions are not met."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"max_attempts": 2}, max_pool_connections=32),
            )
        return self._clients[service]

    # ------------------------------------------------------------ deploying

    def deploy(self, binaries):
        """Creates or updates the stack from template.yaml with the zips of these folders."""
        template = self._packaged(binaries_in(binaries))
        formation = self.client("cloudformation")
        names = {
            "StackName": _STACK,
            "TemplateURL": self._uploaded("template.yaml", template.encode()),
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()
            ],
        }
        (formation.update_stack if self._exists() else formation.create_stack)(**names)
        wait_until(self._settled, "the stack is still being made", 120)
        status = self._describe()["StackStatus"]
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise RuntimeError(f"{status}: {self._failures()}")
        self.outputs = {
            output["OutputKey"]: output["OutputValue"] for output in self._describe()["Outputs"]
        }
        self._complete()
        return self

    def _complete(self):
        """What API Gateway and Lambda make of the template, and ministack does not.

        Its import of an API leaves out the gateway responses, and it compares the mapping's
        MaximumConcurrency, which a parameter gives it as text, with a number.
        """
        api, gateway = self.outputs["ApiId"], self.client("apigateway")
        body = transformed()["Resources"]["ApiGateway"]["Properties"]["Body"]
        for kind, response in body["x-amazon-apigateway-gateway-responses"].items():
            gateway.put_gateway_response(
                restApiId=api,
                responseType=kind,
                statusCode=str(response["statusCode"]),
                responseParameters=response["responseParameters"],
                responseTemplates=response["responseTemplates"],
            )
        gateway.create_deployment(restApiId=api, stageName=self.parameters.get("Stage", "v1"))
        functions = self.client("lambda")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            limit = int(mapping["ScalingConfig"]["MaximumConcurrency"])
            functions.update_event_source_mapping(
                UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": limit}
            )

    def destroy(self):
        """Deletes the stack."""
        self.client("cloudformation").delete_stack(StackName=_STACK)
        wait_until(lambda: not self._exists(), "the stack is still being deleted", 120)

    def _uploaded(self, key, data):
        storage = self.client("s3")
        with contextlib.suppress(storage.exceptions.BucketAlreadyOwnedByYou):
            storage.create_bucket(
                Bucket=_PACKAGES, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        storage.put_object(Bucket=_PACKAGES, Key=key, Body=data)
        return f"{self.endpoint}/{_PACKAGES}/{key}"

    def _packaged(self, binaries):
        def upload(match):
            data = zipped(binaries / match[1])
            key = f"{match[1]}-{zlib.crc32(data):08x}.zip"
            self._uploaded(key, data)
            return f"CodeUri: s3://{_PACKAGES}/{key}"

        template, count = _CODE.subn(upload, TEMPLATE.read_text())
        assert count == len(FUNCTIONS), f"template.yaml names {count} folders of target/lambda"
        # ministack's transform knows defaults only, and this parameter is the transform's.
        template, count = _CANARY.subn(r"\g<1>'false'", template)
        assert count == 1, "template.yaml has no parameter CanaryDeployment"
        return template

    def _exists(self):
        try:
            return self._describe()["StackStatus"] != "DELETE_COMPLETE"
        except self.client("cloudformation").exceptions.ClientError:
            return False

    def _describe(self):
        return self.client("cloudformation").describe_stacks(StackName=_STACK)["Stacks"][0]

    def _settled(self):
        return not self._describe()["StackStatus"].endswith("_IN_PROGRESS")

    def _failures(self):
        events = self.client("cloudformation").describe_stack_events(StackName=_STACK)["StackEvents"]
        return "; ".join(
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
            for event in events
            if event["ResourceStatus"].endswith("FAILED")
        )

    def physical_id(self, logical_id):
        """Name of a resource as CloudFormation gave it."""
        detail = self.client("cloudformation").describe_stack_resource(
            StackName=_STACK, LogicalResourceId=logical_id
        )
        return detail["StackResourceDetail"]["PhysicalResourceId"]

    # ------------------------------------------------------------ doors

    @property
    def api_url(self):
        """Where the API's stage answers."""
        stage = self.parameters.get("Stage", "v1")
        return f"{self.endpoint}/restapis/{self.outputs['ApiId']}/{stage}/_user_request_"

    def secret(self):
        """The current HS256 key."""
        secret = self.client("secretsmanager").get_secret_value(SecretId=self.outputs["JwtSecretArn"])
        return secret["SecretString"]

    def token(self, client="acme", **claims):
        """A good token of this client."""
        return tokens.sign(tokens.claims(client, **claims), self.secret())

    def ask(self, method, path, token=None, body=None, headers=None):
        """One call through API Gateway."""
        sent = {"Content-Type": "application/json"} if body is not None else {}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, (bytes, str, type(None))) else json.dumps(body)
        return Answer(
            self._http.request(method, self.api_url + path, body=data, headers=sent | (headers or {}))
        )

    def send(self, body):
        """One message to the queue, as an upstream system sends it."""
        text = body if isinstance(body, str) else json.dumps(body)
        return self.client("sqs").send_message(
            QueueUrl=self.outputs["EventQueueUrl"], MessageBody=text
        )["MessageId"]

    def upload(self, key, text):
        """One file into the input bucket."""
        self.client("s3").put_object(
            Bucket=self.outputs["InputBucketName"], Key=key, Body=text.encode()
        )

    # ------------------------------------------------------------ what is there

    def rows(self, table_output):
        """Every item of a table, as plain values."""
        pages = self.client("dynamodb").get_paginator("scan").paginate(
            TableName=self.outputs[table_output], ConsistentRead=True
        )
        return [_plain(item) for page in pages for item in page["Items"]]

    def results_of(self, client, entity_id, entity_type="portfolio"):
        """The stored results of an entity by sort key."""
        pages = self.client("dynamodb").get_paginator("query").paginate(
            TableName=self.outputs["ResultsTableName"],
            KeyConditionExpression="id = :id",
            ExpressionAttributeValues={":id": {"S": f"{entity_type}#{entity_id}#{client}"}},
            ConsistentRead=True,
        )
        items = [_plain(item) for page in pages for item in page["Items"]]
        return {item["calculation_date"]: item for item in items}

    def queue_depth(self, output="EventQueueUrl"):
        """Messages that wait, and that are being worked on."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs[output], AttributeNames=names
        )["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def dead_letters(self):
        """Takes every dead letter off its queue."""
        queue, bodies = self.client("sqs"), []
        url = self.outputs["EventDeadLetterQueueUrl"]
        while True:
            messages = queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            if not messages:
                return bodies
            for message in messages:
                bodies.append(message["Body"])
                queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def drain(self, seconds=120):
        """Waits until the queue is empty and nothing is being worked on, twice in a row."""

        def empty():
            if self.queue_depth():
                return False
            time.sleep(0.2)
            return not self.queue_depth()

        wait_until(empty, "the queue is not empty", seconds)

    @contextlib.contextmanager
    def hurried_redelivery(self, seconds=2):
        """Meanwhile failed messages are shown again after this time instead of six minutes."""
        queue, url = self.client("sqs"), self.outputs["EventQueueUrl"]
        names = ["VisibilityTimeout"]
        before = queue.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        queue.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})
        try:
            yield
        finally:
            queue.set_queue_attributes(QueueUrl=url, Attributes=before)

    def log_groups(self):
        """The functions' log groups by logical id, and the access log's."""
        names = [
            "JwtAuthorizerLogGroup",
            "ApiHandlerLogGroup",
            "PerformanceCalculatorLogGroup",
            "EventProcessorLogGroup",
            "ApiAccessLogGroup",
        ]
        return {name: self.physical_id(name) for name in names}

    def log_lines(self):
        """Every line of every log group."""
        logs, lines = self.client("logs"), []
        for group in self.log_groups().values():
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
                lines += [event["message"] for event in page["events"]]
        return lines
