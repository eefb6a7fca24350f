"""Make collections of a small document; that newman runs ours is shown in tests/e2e/test_postman.py."""

import json
from copy import deepcopy
from typing import Any

import pytest

from application.libs.declaration import DeclarationError
from application.libs.openapi.postman import SCHEMA, Plan, collection

Json = dict[str, Any]

PLAN = Plan(sign_in="auth_login", sign_out="auth_logout")
ENVELOPE: Json = {"type": "object", "required": ["code", "data"], "properties": {"code": {}, "data": {}}}


def answer(status: int, schema: Json | None = None) -> Json:
    content = {} if schema is None else {"content": {"application/json": {"schema": schema}}}
    return {"responses": {"401": {"description": "No"}, str(status): {"description": "Yes", **content}}}


def operation(name: str, tag: str, described: Json, **more: Any) -> Json:
    return {"operationId": name, "summary": name.replace("_", " "), "tags": [tag], **described, **more}


def body(example: Any) -> Json:
    return {"content": {"application/json": {"schema": {}, "example": example}}}


DOCUMENT: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Small", "version": "1"},
    "tags": [{"name": "auth"}, {"name": "job"}, {"name": "tag", "description": "Tags"}],
    "paths": {
        "/auth/login": {
            "post": operation(
                "auth_login", "auth", answer(200, ENVELOPE), requestBody=body({"name": "x", "password": "y"})
            )
        },
        "/auth/logout": {"post": operation("auth_logout", "auth", answer(204))},
        "/job": {"get": operation("job_index", "job", answer(200, {"type": "array"}))},
        "/job/{job_id}/run": {"post": operation("job_run", "job", answer(200, {"type": "object"}))},
        "/tag": {
            "get": operation(
                "tag_index",
                "tag",
                answer(200, {"$ref": "#/components/schemas/Tags"}),
                parameters=[
                    {"name": "limit", "in": "query", "schema": {"default": 20}, "description": "How many"},
                    {"name": "kind", "in": "query", "required": True, "schema": {"examples": ["a"]}},
                    {"name": "X-Other", "in": "header", "schema": {}},
                ],
            ),
            "post": operation(
                "tag_create", "tag", answer(201, ENVELOPE), requestBody=body({"name": "红", "rank": 1, "kind": "a"})
            ),
        },
        "/tag/{tag_id}": {
            "parameters": [{"$ref": "#/components/parameters/TagId"}],
            "delete": operation("tag_delete", "tag", answer(204)),
            "get": operation("tag_show", "tag", answer(200, ENVELOPE)),
            "patch": operation("tag_update", "tag", answer(200, ENVELOPE), requestBody=body({"name": "blue"})),
        },
    },
    "components": {
        "schemas": {"Tags": ENVELOPE},
        "parameters": {"TagId": {"name": "tag_id", "in": "path", "required": True, "schema": {}}},
    },
}


def made(document: Json = DOCUMENT, plan: Plan = PLAN) -> Json:
    return collection(document, plan, base_url="http://127.0.0.1:1")


def items(document: Json = DOCUMENT) -> dict[str, Json]:
    return {item["name"].replace(" ", "_"): item for folder in made(document)["item"] for item in folder["item"]}


def script(item: Json, listen: str = "test") -> str:
    return "\n".join(line for event in item["event"] if event["listen"] == listen for line in event["script"]["exec"])


class TestCollection:
    def test_is_of_format_2_1_and_knows_its_variables(self) -> None:
        found = made()
        assert found["info"]["schema"] == SCHEMA
        assert {variable["key"]: variable["value"] for variable in found["variable"]} == {
            "baseUrl": "http://127.0.0.1:1",
            "name": "admin",
            **dict.fromkeys(("password", "token", "run", "job_id", "tag_id"), ""),
        }
        assert json.dumps(found) == json.dumps(made())

    def test_creates_before_it_uses_and_deletes_at_the_end(self) -> None:
        assert [(folder["name"], [item["name"] for item in folder["item"]]) for folder in made()["item"]] == [
            ("Sign in", ["auth login"]),
            ("job", ["job index", "job run"]),
            ("tag", ["tag create", "tag index", "tag show", "tag update"]),
            ("Delete and sign out", ["tag delete", "auth logout"]),
        ]

    def test_removes_by_a_post_at_the_end_too(self) -> None:
        document = deepcopy(DOCUMENT)
        document["paths"]["/bulk/delete"] = {"post": operation("tags_delete", "tag", answer(200, ENVELOPE))}
        last = made(document, PLAN._replace(removes=("tags_delete", "job_delete")))["item"][-1]
        assert [item["name"] for item in last["item"]] == ["tag delete", "tags delete", "auth logout"]

    def test_removes_last_what_all_others_need(self) -> None:
        document = deepcopy(DOCUMENT)
        document["paths"]["/bulk/delete"] = {"post": operation("tags_delete", "tag", answer(200, ENVELOPE))}
        last = made(document, PLAN._replace(removes=("tags_delete", "tag_delete")))["item"][-1]
        assert [item["name"] for item in last["item"]] == ["tags delete", "tag delete", "auth logout"]

    def test_sends_a_parameter_that_the_plan_names(self) -> None:
        folders = made(plan=PLAN._replace(queries={"tag_index": frozenset({"limit"})}))["item"]
        index = next(item for folder in folders for item in folder["item"] if item["name"] == "tag index")
        assert {each["key"]: each["disabled"] for each in index["request"]["url"]["query"]} == {
            "limit": False,
            "kind": False,
        }

    def test_lets_an_operation_come_too_late(self) -> None:
        folders = made(plan=PLAN._replace(late={"job_run": 409}))["item"]
        run = next(item for folder in folders for item in folder["item"] if item["name"] == "job run")
        assert script(run) == (
            'pm.test("job_run answers 200, or is too late", () => pm.expect(pm.response.code).to.be.oneOf([200, 409]));'
        )

    def test_takes_no_id_from_a_refusal(self) -> None:
        folders = made(plan=PLAN._replace(refused={"tag_create": 422}))["item"]
        create = next(item for folder in folders for item in folder["item"] if item["name"] == "tag create")
        assert script(create) == 'pm.test("tag_create is refused", () => pm.response.to.have.status(422));'

    def test_puts_a_folder_behind_those_whose_ids_it_needs(self) -> None:
        document = deepcopy(DOCUMENT)
        document["paths"]["/tag/{tag_id}/jobs"] = {"get": operation("jobs_of_tag", "job", answer(200, ENVELOPE))}
        assert [folder["name"] for folder in made(document)["item"]][1:-1] == ["tag", "job"]

    def test_refuses_folders_that_need_each_other(self) -> None:
        document = deepcopy(DOCUMENT)
        document["paths"]["/tag/{tag_id}/jobs"] = {"get": operation("jobs_of_tag", "job", answer(200, ENVELOPE))}
        document["paths"]["/job/{job_id}/tags"] = {"get": operation("tags_of_job", "tag", answer(200, ENVELOPE))}
        with pytest.raises(DeclarationError, match="need ids of each other"):
            made(document)

    def test_signs_in_and_keeps_the_token(self) -> None:
        item = items()["auth_login"]
        assert json.loads(item["request"]["body"]["raw"]) == {"name": "{{name}}", "password": "{{password}}"}
        assert item["request"]["auth"] == {"type": "noauth"}
        assert 'set("token", pm.response.json().data.token)' in script(item)
        assert 'set("run"' in script(item, "prerequest")
        assert made()["auth"]["bearer"][0]["value"] == "{{token}}"

    def test_takes_ids_over(self) -> None:
        assert 'set("tag_id", pm.response.json().data.id)' in script(items()["tag_create"])
        assert 'if (pm.response.json()[0]) pm.collectionVariables.set("job_id", pm.response.json()[0].id)' in script(
            items()["job_index"]
        )
        assert items()["tag_show"]["request"]["url"] == {
            "raw": "{{baseUrl}}/tag/:tag_id",
            "host": ["{{baseUrl}}"],
            "path": ["tag", ":tag_id"],
            "variable": [{"key": "tag_id", "value": "{{tag_id}}"}],
        }

    def test_asserts_something_of_every_answer(self) -> None:
        for name, item in items().items():
            assert script(item).count("pm.test(") == 2, name
        assert "to.have.status(201)" in script(items()["tag_create"])
        assert 'to.include.all.keys(["code", "data"])' in script(items()["tag_index"])
        assert 'to.be.an("array")' in script(items()["job_index"])
        assert 'to.equal("")' in script(items()["tag_delete"])

    def test_gives_what_no_two_share_a_name_of_this_run(self) -> None:
        raw = items()["tag_create"]["request"]["body"]["raw"]
        assert json.loads(raw) == {"name": "红 {{run}}", "rank": 1, "kind": "a"}

    def test_leaves_a_name_of_what_is_there_as_it_is(self) -> None:
        folders = made(plan=PLAN._replace(names=frozenset({"tag_create"})))["item"]
        create = next(item for folder in folders for item in folder["item"] if item["name"] == "tag create")
        assert json.loads(create["request"]["body"]["raw"])["name"] == "红"

    def test_writes_files_into_a_form(self) -> None:
        document = deepcopy(DOCUMENT)
        form = {
            "schema": {},
            "example": {"name": "lake", "tag": ["a", "b"], "picture": ""},
            "encoding": {"picture": {"contentType": "application/octet-stream"}},
        }
        document["paths"]["/tag"]["post"]["requestBody"] = {"content": {"multipart/form-data": form}}
        request = items(document)["tag_create"]["request"]
        assert request["header"] == []  # the boundary is the sender's to choose
        assert request["body"]["formdata"] == [
            {"key": "name", "type": "text", "value": "lake {{run}}"},
            {"key": "tag", "type": "text", "value": "a"},
            {"key": "tag", "type": "text", "value": "b"},
            {
                "key": "picture",
                "type": "text",
                "value": "example",
                "fileName": "picture.bin",
                "contentType": "application/octet-stream",
            },
        ]

    def test_sends_a_form_as_it_is_taken(self) -> None:
        document = deepcopy(DOCUMENT)
        form = {"schema": {}, "example": {"name": "lake"}}
        document["paths"]["/tag"]["post"]["requestBody"] = {"content": {"application/x-www-form-urlencoded": form}}
        body = items(document)["tag_create"]["request"]["body"]
        assert body == {"mode": "urlencoded", "urlencoded": [{"key": "name", "value": "lake {{run}}"}]}

    def test_asserts_the_type_of_what_is_no_json(self) -> None:
        document = deepcopy(DOCUMENT)
        document["paths"]["/tag/{tag_id}"]["get"]["responses"]["200"]["content"] = {"image/*": {"schema": {}}}
        assert 'get("Content-Type")).to.include("image/"))' in script(items(document)["tag_show"])

    def test_sends_only_the_parameters_that_are_required(self) -> None:
        assert items()["tag_index"]["request"]["url"]["query"] == [
            {"key": "limit", "value": "20", "description": "How many", "disabled": True},
            {"key": "kind", "value": "a", "description": "", "disabled": False},
        ]

    def test_refuses_a_path_that_nothing_fills(self) -> None:
        document = deepcopy(DOCUMENT)
        del document["paths"]["/tag"]
        with pytest.raises(DeclarationError, match="tag_show: nothing before it says a `tag_id`"):
            made(document)

    def test_refuses_a_body_without_an_example(self) -> None:
        document = deepcopy(DOCUMENT)
        del document["paths"]["/tag"]["post"]["requestBody"]["content"]["application/json"]["example"]
        with pytest.raises(DeclarationError, match=r"tag_create: its body has no example that can be sent\. Give"):
            made(document)

    def test_refuses_a_plan_that_names_no_operation(self) -> None:
        with pytest.raises(DeclarationError, match="no operation is called nobody"):
            collection(DOCUMENT, Plan(sign_in="nobody", sign_out="auth_logout"), base_url="")
