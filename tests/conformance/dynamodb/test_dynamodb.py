"""DynamoDB through boto3."""
import hashlib
import time

import pytest
from botocore.exceptions import ClientError

from support import wait_for


@pytest.fixture(scope="module")
def dynamodb(daemon):
    return daemon.client("dynamodb")


@pytest.fixture
def table(dynamodb, request):
    name = "t-" + hashlib.md5(request.node.name.encode()).hexdigest()
    dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"},
                              {"AttributeName": "kind", "AttributeType": "S"}],
        GlobalSecondaryIndexes=[{"IndexName": "by_kind", "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
                                 "Projection": {"ProjectionType": "KEYS_ONLY"}}],
        LocalSecondaryIndexes=[{"IndexName": "local_kind", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"},
                                                                         {"AttributeName": "kind", "KeyType": "RANGE"}],
                                "Projection": {"ProjectionType": "KEYS_ONLY"}}])
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    yield name
    dynamodb.delete_table(TableName=name)


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response


def message_of(call, **arguments):
    return error_of(call, **arguments)["Error"]["Message"]


def key(pk, sk):
    return {"pk": {"S": pk}, "sk": {"N": str(sk)}}


def fill(dynamodb, table, count=20):
    for i in range(count):
        dynamodb.put_item(TableName=table, Item={**key("a", i - 5), "kind": {"S": f"k{i % 3}"},
                                                 "doc": {"M": {"list": {"L": [{"N": "1.50"}, {"BOOL": True}, {"B": b"\0"}]}}}})


def test_items_come_back_as_they_were(dynamodb, table):
    item = {**key("a", "1.50"), "b": {"B": b"\0\xff"}, "s": {"SS": ["x", "y"]}, "n": {"NS": ["1", "2.5"]}, "null": {"NULL": True},
            "m": {"M": {"l": {"L": [{"S": ""}, {"BOOL": False}]}}}}
    dynamodb.put_item(TableName=table, Item=item)
    got = dynamodb.get_item(TableName=table, Key=key("a", "1.5"), ReturnConsumedCapacity="TOTAL")
    assert got["Item"] == {**item, "sk": {"N": "1.5"}}
    assert got["ConsumedCapacity"] == {"TableName": table, "CapacityUnits": 0.5}
    assert "Item" not in dynamodb.get_item(TableName=table, Key=key("a", 2))


def test_query_walks_a_partition_in_pages_both_ways(dynamodb, table):
    fill(dynamodb, table)
    condition = {"KeyConditionExpression": "pk = :p AND sk BETWEEN :a AND :b",
                 "ExpressionAttributeValues": {":p": {"S": "a"}, ":a": {"N": "0"}, ":b": {"N": "7"}}}
    for forward in (True, False):
        seen, start = [], {}
        while True:
            page = dynamodb.query(TableName=table, ScanIndexForward=forward, Limit=3, **condition, **start)
            seen += [int(item["sk"]["N"]) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        assert seen == sorted(range(8), reverse=not forward)


def test_indexes_follow_their_items(dynamodb, table):
    fill(dynamodb, table)
    by_kind = {"TableName": table, "IndexName": "by_kind", "KeyConditionExpression": "kind = :k"}
    page = dynamodb.query(**by_kind, ExpressionAttributeValues={":k": {"S": "k1"}})
    assert page["Count"] == 7 and set(page["Items"][0]) == {"pk", "sk", "kind"}
    dynamodb.update_item(TableName=table, Key=key("a", -4), UpdateExpression="REMOVE kind")
    dynamodb.delete_item(TableName=table, Key=key("a", -1))
    assert dynamodb.query(**by_kind, ExpressionAttributeValues={":k": {"S": "k1"}})["Count"] == 5
    local = dynamodb.query(TableName=table, IndexName="local_kind", Select="ALL_ATTRIBUTES",
                           KeyConditionExpression="pk = :p AND begins_with(kind, :k)",
                           ExpressionAttributeValues={":p": {"S": "a"}, ":k": {"S": "k2"}})
    assert local["Count"] == 6 and "doc" in local["Items"][0]
    dynamodb.update_table(TableName=table, AttributeDefinitions=[{"AttributeName": "sk", "AttributeType": "N"}],
                          GlobalSecondaryIndexUpdates=[{"Create": {"IndexName": "by_sk", "Projection": {"ProjectionType": "ALL"},
                                                                   "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}]}}])
    wait_for(lambda: all(index["IndexStatus"] == "ACTIVE" for index in
                         dynamodb.describe_table(TableName=table)["Table"]["GlobalSecondaryIndexes"]))
    assert dynamodb.scan(TableName=table, IndexName="by_sk", Select="COUNT")["Count"] == 19


def test_scan_segments_filters_and_counts(dynamodb, table):
    dynamodb.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": key(f"p{i}", i)}} for i in range(25)]})
    assert sum(dynamodb.scan(TableName=table, TotalSegments=4, Segment=n)["Count"] for n in range(4)) == 25
    page = dynamodb.scan(TableName=table, FilterExpression="sk >= :n", ExpressionAttributeValues={":n": {"N": "20"}}, Select="COUNT")
    assert (page["Count"], page["ScannedCount"]) == (5, 25)
    got = dynamodb.batch_get_item(RequestItems={table: {"Keys": [key(f"p{i}", i) for i in range(30)], "ProjectionExpression": "pk"}})
    assert len(got["Responses"][table]) == 25 and set(got["Responses"][table][0]) == {"pk"}
    assert dynamodb.describe_table(TableName=table)["Table"]["ItemCount"] == 25


def test_updates(dynamodb, table):
    fill(dynamodb, table, 1)
    new = dynamodb.update_item(
        TableName=table, Key=key("a", -5), ReturnValues="UPDATED_NEW",
        UpdateExpression="SET doc.#l[0] = doc.#l[0] + :one, hits = if_not_exists(hits, :zero) + :one REMOVE doc.#l[1] ADD tags :t",
        ExpressionAttributeNames={"#l": "list"},
        ExpressionAttributeValues={":one": {"N": "1"}, ":zero": {"N": "0"}, ":t": {"SS": ["x"]}})["Attributes"]
    assert new["hits"] == {"N": "1"} and new["tags"] == {"SS": ["x"]} and new["doc"]["M"]["list"]["L"][0] == {"N": "2.5"}
    old = dynamodb.update_item(TableName=table, Key=key("a", -5), ReturnValues="ALL_OLD",
                               AttributeUpdates={"hits": {"Action": "ADD", "Value": {"N": "9"}}})["Attributes"]
    assert old["hits"] == {"N": "1"} and len(old["doc"]["M"]["list"]["L"]) == 2
    assert message_of(dynamodb.update_item, TableName=table, Key=key("a", -5), UpdateExpression="SET pk = :v",
                      ExpressionAttributeValues={":v": {"S": "x"}}) == \
        "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key"
    assert message_of(dynamodb.update_item, TableName=table, Key=key("a", -5), UpdateExpression="SET a.b = :v",
                      ExpressionAttributeValues={":v": {"S": "x"}}) == \
        "The document path provided in the update expression is invalid for update"


def test_conditions(dynamodb, table):
    item = {**key("a", 1), "v": {"N": "1"}}
    dynamodb.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")
    refused = error_of(dynamodb.put_item, TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)",
                       ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert refused["Error"]["Code"] == "ConditionalCheckFailedException"
    assert refused["Error"]["Message"] == "The conditional request failed" and refused["Item"] == item
    assert error_of(dynamodb.delete_item, TableName=table, Key=key("a", 1), Expected={"v": {"Value": {"N": "2"}}})["Error"]["Code"] == \
        "ConditionalCheckFailedException"
    dynamodb.delete_item(TableName=table, Key=key("a", 1), Expected={"v": {"Value": {"N": "1.0"}}})


@pytest.mark.parametrize("arguments, message", [
    ({"ConditionExpression": "whatever"}, 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "whatever"'),
    ({"ConditionExpression": "size = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}},
     "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: size"),
    ({"ConditionExpression": "a = :v"},
     "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :v"),
    ({"ConditionExpression": "attribute_exists(a)", "ExpressionAttributeNames": {"#x": "x"}},
     "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}"),
    ({"ConditionExpression": "((a = :v))", "ExpressionAttributeValues": {":v": {"N": "1"}}},
     "Invalid ConditionExpression: The expression has redundant parentheses;"),
    ({"ExpressionAttributeNames": {"#x": "x"}}, "ExpressionAttributeNames can only be specified when using expressions"),
    ({"Item": {"pk": {"S": "a"}}}, "One or more parameter values were invalid: Missing the key sk in the item"),
    ({"Item": {**key("a", 1), "n": {"N": "1e126"}}},
     "Number overflow. Attempting to store a number with magnitude larger than supported range"),
    ({"Item": {**key("a", 1), "n": {"N": "x"}}}, "The parameter cannot be converted to a numeric value: x"),
    ({"Item": {**key("a", 1), "n": {}}}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
    ({"Item": {**key("a", 1), "n": {"S": "x" * 409_600}}}, "Item size has exceeded the maximum allowed size"),
])
def test_refusals_use_the_words_of_aws(dynamodb, table, arguments, message):
    response = error_of(dynamodb.put_item, **{"TableName": table, "Item": key("a", 1), **arguments})
    assert response["Error"] == {"Code": "ValidationException", "Message": message}


def test_transactions_are_all_or_nothing(dynamodb, table):
    writes = [{"Put": {"TableName": table, "Item": key("t", 1)}},
              {"ConditionCheck": {"TableName": table, "Key": key("t", 2), "ConditionExpression": "attribute_exists(pk)"}}]
    refused = error_of(dynamodb.transact_write_items, TransactItems=writes)
    assert [reason["Code"] for reason in refused["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
    assert "Item" not in dynamodb.get_item(TableName=table, Key=key("t", 1))
    dynamodb.transact_write_items(TransactItems=writes[:1], ClientRequestToken="once")
    dynamodb.transact_write_items(TransactItems=writes[:1], ClientRequestToken="once")
    writes[0]["Put"]["Item"] = key("t", 3)
    assert error_of(dynamodb.transact_write_items, TransactItems=writes[:1], ClientRequestToken="once")["Error"]["Code"] == \
        "IdempotentParameterMismatchException"
    got = dynamodb.transact_get_items(TransactItems=[{"Get": {"TableName": table, "Key": key("t", n)}} for n in (1, 2)])
    assert got["Responses"] == [{"Item": key("t", 1)}, {}]


def test_items_expire_by_the_clock_of_the_system(daemon, dynamodb, table):
    dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ends"})
    ends = {"N": str(int(time.time()) + 3600)}
    dynamodb.put_item(TableName=table, Item={**key("a", 1), "ends": ends})
    dynamodb.put_item(TableName=table, Item=key("a", 2))
    assert "Item" in dynamodb.get_item(TableName=table, Key=key("a", 1))
    daemon.advance(3610)
    wait_for(lambda: "Item" not in dynamodb.get_item(TableName=table, Key=key("a", 1)))
    assert "Item" in dynamodb.get_item(TableName=table, Key=key("a", 2))


def test_tables_are_described_changed_and_protected(dynamodb, table):
    described = dynamodb.describe_table(TableName=table)["Table"]
    assert described["TableStatus"] == "ACTIVE" and described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert error_of(dynamodb.create_table, TableName=table, BillingMode="PAY_PER_REQUEST",
                    KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}])["Error"]["Code"] == "ResourceInUseException"
    dynamodb.tag_resource(ResourceArn=described["TableArn"], Tags=[{"Key": "team", "Value": "a"}])
    assert dynamodb.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"] == [{"Key": "team", "Value": "a"}]
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)
    assert error_of(dynamodb.delete_table, TableName=table)["Error"]["Code"] == "ValidationException"
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    assert table in dynamodb.list_tables()["TableNames"]
    assert message_of(dynamodb.describe_table, TableName="absent") == "Requested resource not found: Table: absent not found"


def test_what_is_not_served_says_so(dynamodb):
    assert error_of(dynamodb.create_table, TableName="streaming", BillingMode="PAY_PER_REQUEST",
                    KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}],
                    StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})["Error"]["Code"] == "NotImplemented"


def test_tables_and_items_survive_kill(new_daemon):
    one = new_daemon()
    dynamodb = one.client("dynamodb")
    dynamodb.create_table(TableName="kept", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
                          AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}])
    for i in range(50):
        dynamodb.put_item(TableName="kept", Item={"a": {"S": str(i)}})
    one.kill()
    one.start()
    dynamodb = one.client("dynamodb")
    assert dynamodb.scan(TableName="kept", Select="COUNT")["Count"] == 50
    assert dynamodb.describe_table(TableName="kept")["Table"]["ItemCount"] == 50
