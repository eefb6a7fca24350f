"""Name the tests that show how each attack is answered; docs/security-matrix.md is this table, for readers.

After a change write that anew: python -m tests.security_matrix > docs/security-matrix.md
"""

import sys
from typing import NamedTuple


class Row(NamedTuple):
    """Hold an attack, what is answered, and the tests that show it, as `file::Class` or `file::Class::method`."""

    attack: str
    answer: str
    tests: tuple[str, ...]


SERVER = "tests/e2e/test_security.py"
FRAMING = "tests/e2e/test_server_framing.py"
FIXES = "tests/modules/scheduler/test_fixes.py"
ACCESS = "tests/contract/test_access.py::TestRoutes"
AUTH = "tests/modules/auth"

ROWS = {
    1: Row(
        "Somebody else, or nobody, asks for an object of a user: each route with each kind of caller",
        "401, 403, or 404 for what is private; the rows stay as they are; a route that is missing in the table fails",
        (
            f"{ACCESS}::test_are_all_in_the_table",
            f"{ACCESS}::test_answer_each_caller_as_they_should",
            f"{ACCESS}::test_hide_what_is_private_from_everybody_else",
            "tests/modules/tag/test_endpoints.py::TestBlogs::test_hides_the_drafts_of_others",
            "tests/modules/blog/test_endpoints.py::TestIndex::test_shows_drafts_to_their_owner_only",
            "tests/modules/blog/test_search.py::TestVisibility",
        ),
    ),
    2: Row(
        "A body with id, role, roles, is_admin, password_hash, owner_id, created_at …, at each operation",
        "422 that names the field; nothing is changed",
        (
            "tests/contract/test_over_posting.py::TestBody",
            "tests/modules/user/test_endpoints.py::TestCreate::test_refuses_a_faulty_field_by_name",
        ),
    ),
    3: Row(
        "Answers are searched for passwords, hashes, tokens, keys and others' addresses",
        "None is found, in no answer to anybody",
        (
            "tests/contract/test_stored_secrets.py::TestAnswers",
            f"{ACCESS}::test_show_no_secret",
            "tests/modules/user/test_endpoints.py::TestIndex::test_lists_everybody_without_their_secrets",
            "tests/modules/audit/test_business.py::TestRecord::test_masks_secrets_but_tells_that_they_differ",
        ),
    ),
    4: Row(
        "A plain user at each route for admins, by all methods, HEAD, and headers or fields that override them",
        "403 or 405",
        (
            "tests/contract/test_privilege.py::TestClosed",
            f"{ACCESS}::test_answer_head_as_they_answer_get",
            f"{ACCESS}::test_take_no_other_method",
            f"{ACCESS}::test_let_no_header_change_the_method",
            f"{SERVER}::TestPrivilege",
        ),
    ),
    5: Row(
        "The stored hash of a password",
        "argon2id with 19 MiB and 2 passes or more; made anew at the login when parameters have risen",
        (
            "tests/libs/test_secret.py::TestHashPassword",
            "tests/libs/test_secret.py::TestNeedsRehash",
            "tests/modules/user/test_endpoints.py::TestCreate::test_stores_an_argon2id_hash_of_the_password",
            f"{AUTH}/test_endpoints.py::TestLogin::test_makes_a_weak_hash_stronger_outside_any_unit_of_work",
        ),
    ),
    6: Row(
        "New passwords of 7, 8, 64, 128 and 129 characters, Unicode, blanks, common ones, the user's name, a megabyte",
        "422 or taken, alike at each operation that takes a new one; 256 bytes at most",
        (
            "tests/contract/test_new_passwords.py::TestNewPassword",
            "tests/libs/test_password.py::TestIsCommon",
            "tests/modules/user/test_endpoints.py::TestCreate::test_says_why_a_password_is_refused_and_hashes_none",
        ),
    ),
    7: Row(
        "Known and unknown names are told apart by time or answer; the same by asking for codes",
        "One hash is compared whoever is named; the same status and body",
        (
            f"{AUTH}/test_endpoints.py::TestLogin::test_compares_one_hash_whoever_is_named",
            f"{AUTH}/test_endpoints.py::TestLogin::test_answers_a_wrong_password_as_it_answers_an_unknown_name",
            "tests/libs/test_secret.py::TestVerifyPassword::test_takes_as_long_for_nobody",
            "tests/modules/throttle/test_endpoints.py::TestLogin::test_says_no_more_of_a_name_that_is_known",
            "tests/modules/code/test_endpoints.py::TestCreate::test_says_and_does_the_same_for_an_address_that_is_known",
            f"{AUTH}/test_pages_reset.py::TestForgotPassword::test_says_the_same_whoever_the_address_belongs_to",
        ),
    ),
    8: Row(
        "10 wrong passwords of one name; 100 names from one address; over 4 processes",
        "429 with Retry-After from the 6th and the 31st on, counted together; open again when the time is over",
        (
            "tests/modules/throttle/test_endpoints.py::TestLogin",
            "tests/modules/throttle/test_endpoints.py::TestBasic",
            "tests/modules/throttle/test_business.py::TestTakeLogin",
            "tests/e2e/test_throttle.py::TestLogin",
        ),
    ),
    9: Row(
        "A refresh token used again, or twelve times at once; tokens after logout, new password, disabling, deletion",
        "401 and the session is over; one 200 and eleven 401; 401 in every process within a second",
        (
            *(f"{AUTH}/test_endpoints_session.py::Test{name}" for name in ("Refresh", "Logout", "LogoutEverywhere")),
            "tests/libs/test_identity_cache.py::TestIdentityCache::test_forgets_within_a_second",
            f"{SERVER}::TestSession",
            f"{AUTH}/test_endpoints_code.py::TestLoginByCode",
        ),
    ),
    10: Row(
        "An access token as a refresh token and the reverse; in the address or a cookie; cut, of another, of 10 kB",
        "401; a header of more than 8 kB is refused before that, by 431",
        (
            *(f"tests/contract/test_spoiled_tokens.py::Test{name}" for name in ("Access", "Refresh")),
            f"{AUTH}/test_endpoints.py::TestMe",
            f"{AUTH}/business/test_caller.py::TestByToken",
            f"{SERVER}::TestToken",
        ),
    ),
    11: Row(
        "A browser's cookie that was there before signing in; how the cookie is set",
        "Another value; HttpOnly, SameSite=Strict, with TLS `__Host-` and Secure",
        (
            "tests/libs/test_browser_session.py::TestGive",
            "tests/modules/auth/test_pages.py::TestEnter",
            f"{SERVER}::TestBrowser::test_asks_with_tls_for_a_cookie_that_no_other_host_can_set",
        ),
    ),
    12: Row(
        "A browser's cookie with a foreign origin, from another site, without its token, as text/plain; at the API",
        "403, 403, 403, 415; the cookie alone lets nobody in",
        (
            "tests/libs/test_browser_session.py::TestCredentials",
            "tests/modules/auth/test_pages.py::TestEnter",
            *(f"tests/contract/test_browser.py::Test{name}" for name in ("CookieByItself", "PageOfOthers")),
            "tests/api/test_scheduler.py::TestAccess::test_is_refused_to_other_sites",
            f"{FIXES}::TestF20",
            f"{SERVER}::TestBrowser::test_counts_for_pages_of_this_site_only",
        ),
    ),
    13: Row(
        "Pages of another origin: evil, null, suffix, sub-domain, with credentials",
        "No Access-Control header; exact list, `Vary: Origin`, never credentials",
        (
            "tests/libs/test_cors.py::TestHeaders",
            "tests/libs/test_cors.py::TestPreflight",
            "tests/e2e/test_cross_origin.py::TestPage",
            f"{SERVER}::TestOrigin",
        ),
    ),
    14: Row(
        "The headers of every answer: 200, 4xx and 5xx, JSON and HTML; the markup of pages",
        "nosniff, policies to the letter, Referrer-Policy, COOP on HTML, HSTS on TLS, no-store; no version, no inline",
        (
            "tests/contract/test_security_headers.py::TestEveryAnswer",
            "tests/libs/test_edge.py::TestHeaders",
            "tests/modules/dashboard/test_pages.py::TestProtect",
            "tests/modules/documentation/test_pages.py::TestProtect",
            f"{FRAMING}::TestSmuggling::test_names_neither_server_nor_version",
            f"{SERVER}::TestHeaders",
        ),
    ),
    15: Row(
        "A Host of somebody else or none, a foreign address in the request line, forged X-Forwarded-*",
        "400; limits count by what the proxies say that we were told of",
        (
            "tests/libs/test_edge.py::TestHost",
            "tests/libs/test_host.py::TestTrustedHosts",
            "tests/contract/test_rate_limit.py::TestLogin::test_counts_each_address_apart_and_believes_no_header",
            f"{FRAMING}::TestHost",
            f"{SERVER}::TestAddress::test_of_no_host_or_another_is_refused",
            f"{SERVER}::TestLimits::test_wrong_passwords_count_by_what_the_nearest_proxy_says",
        ),
    ),
    16: Row(
        "Scripts as names of blogs, tags, users, jobs",
        "JSON that no browser takes for a page; pages show them as text, and none runs in Chromium",
        (
            "tests/contract/test_scripts_in_json.py::TestAnswers",
            "tests/e2e/test_scripts.py::TestPages",
            "tests/modules/message/business/test_delivering.py::TestMail::test_escapes_in_html_what_it_is_filled_with",
        ),
    ),
    17: Row(
        "SQL in filters, searches and orders; `%` and `_` in a search",
        "No effect; 422 for an order that is not listed; both signs are themselves",
        (
            "tests/contract/test_lists_under_attack.py::TestLists::test_find_nothing_by_an_injection",
            "tests/contract/test_lists_under_attack.py::TestLists::test_take_no_order_that_they_do_not_name",
            "tests/database/test_filter.py::TestContains::test_takes_every_sign_literally",
            "tests/database/test_filter.py::TestStartsWith::test_takes_every_sign_literally",
            "tests/contract/test_hostile_input.py::TestSearch",
        ),
    ),
    18: Row(
        "URLs that lead inside: loopback, private and metadata addresses, odd spellings, DNS, redirects, file:",
        "Refused, and nobody is connected to",
        ("tests/libs/test_outbound.py::TestIsPublic", "tests/libs/test_outbound_forgery.py::TestForgery"),
    ),
    19: Row(
        "Files that are too large, renamed, polyglots, bombs, with hostile names",
        "413 or 422; random names where they are kept, nosniff and attachment where they are given back",
        (
            "tests/libs/test_examination.py::TestExamine",
            "tests/modules/file/test_endpoints.py::TestCreate",
            "tests/modules/file/test_endpoints.py::TestContent::test_is_an_attachment_nobody_guesses_about",
        ),
    ),
    20: Row(
        "Sockets without a valid token, at what is for admins, of another origin, 2 MB, very many, of an ended session",
        "Refused, silent, 400, closed, 503, cut within 5 seconds; the token is in the payload, never in the address",
        (
            "tests/modules/monitor/test_sockets.py::TestOnConnect",
            "tests/modules/monitor/test_scheduler_events.py::TestSchedulerEvents",
            "tests/modules/monitor/test_task_progress.py::TestLoss",
            "tests/e2e/test_sockets_flood.py::TestFlood",
            "tests/e2e/test_sockets_flood.py::TestNamespace",
            "tests/e2e/test_sockets_revoked.py::TestRevoked",
            "tests/e2e/test_cross_origin.py::TestSockets",
            f"{SERVER}::TestSockets",
        ),
    ),
    21: Row(
        "The scheduler as a way to run anything: `os:system`, swapped functions, hostile fields, /shutdown",
        "Registered functions only, nothing is imported; 400, 404, 409 or 422, never 500; at most a fire a second",
        (
            *(f"tests/modules/scheduler/test_attacks.py::Test{name}" for name in ("Func", "Fields", "Process")),
            *(f"{FIXES}::TestF{number}" for number in (3, 4, 5, 13, 19)),
        ),
    ),
    22: Row(
        "Pickles planted where jobs are kept; packages that unpickle; brokers that anybody may use",
        "Never loaded, kept and shown as quarantined; JSON alone; in production a password, or this machine",
        (
            f"{FIXES}::TestF17",
            "tests/modules/scheduler/engine/test_due.py::TestRedis::test_of_another_program_loads_no_pickle",
            "tests/contract/test_no_pickle.py::TestSources",
            "tests/contract/test_no_pickle.py::TestQueues",
            "tests/config/test_refusal.py::TestRefusals::test_refuses_a_broker_that_asks_nobody_for_a_password",
        ),
    ),
    23: Row(
        "Production with a weak key, FLASK_DEBUG, a known password, a database that does not stay",
        "It does not start, ends with 78 and says why in one line; the key file of a newcomer is theirs alone",
        (
            "tests/config/test_setting.py::TestStart",
            "tests/cli/test_run.py::TestRun::test_says_in_one_line_why_it_refuses",
            "tests/cli/test_run.py::TestGunicorn::test_refuses_with_one_line_too",
            "tests/config/test_variable.py::TestKeyFile::test_is_made_once_for_its_owner_only",
        ),
    ),
    24: Row(
        "/console, the debugger, /openapi.json, /metrics, /.git, ways up",
        "404, or 401",
        (
            "tests/contract/test_addresses.py::TestAddress",
            "tests/modules/dashboard/test_pages.py::TestAsset::test_serves_nothing_but_assets",
            f"{SERVER}::TestAddress::test_that_attackers_look_for_is_not_there",
        ),
    ),
    25: Row(
        "A byte too many, in chunks too, 1001 parts, 101 headers, a header of 9 kB, a request line of 9 kB",
        "413, 413, 413, 431, 431, 414; request lines may have 8 kB, for lists lead to their next page by them",
        (
            f"{FRAMING}::TestBody",
            f"{FRAMING}::TestLimits",
            "tests/contract/test_hostile_input.py::TestLength",
            f"{SERVER}::TestLimits::test_a_form_of_1001_parts_is_413",
        ),
    ),
    26: Row(
        "Smuggled requests, short bodies, broken chunks, no Host",
        "400 or 501, and one answer",
        (f"{FRAMING}::TestSmuggling", f"{FRAMING}::TestBody", f"{FRAMING}::TestHost"),
    ),
    27: Row(
        "Slow clients",
        "Others are served; with threads, by a proxy in front (operations)",
        (f"{FRAMING}::TestSlowClients",),
    ),
    28: Row(
        "Names with line breaks and escape sequences",
        "One line in the log, escaped",
        (
            "tests/config/test_logging.py::TestConfigure::test_keeps_a_hostile_name_on_one_line",
            "tests/libs/test_access_line.py::TestTextLine::test_lets_no_user_end_the_line",
            "tests/libs/test_edge_body.py::TestAccessLine::test_stays_one_line_whatever_a_client_sends",
            f"{SERVER}::TestLog",
        ),
    ),
    29: Row(
        "Marked secrets in settings, passwords, tokens and keys; then logs, metrics and every table are searched",
        "None is found",
        (
            f"{SERVER}::TestMarkedSecrets",
            "tests/e2e/test_server.py::TestPostgresql::test_that_is_away_is_503",
            "tests/config/test_logging.py::TestConfigure::test_hides_secrets_also_in_tracebacks",
            "tests/libs/test_redaction.py::TestRedaction",
            "tests/modules/message/business/test_delivering.py::TestSecrets",
        ),
    ),
    30: Row(
        "An exception in a handler; the database is away",
        "500 and 503 as problem+json with the request's id, and nothing of what went wrong",
        (
            "tests/contract/test_protocol.py::TestFailures",
            "tests/libs/test_edge.py::TestErrors",
            "tests/database/test_failure.py::TestAway",
            f"{SERVER}::TestHeaders::test_close_what_breaks_too_and_tell_nothing_of_it",
            "tests/e2e/test_server.py::TestPostgresql::test_that_is_away_is_503",
        ),
    ),
    31: Row(
        "The same at once: 20 creations of one name, many counts, deletion and change",
        "One 201 and 19 times 409; counts are exact; no orphan",
        (
            "tests/modules/tag/test_endpoints.py::TestCreate::test_gives_one_of_twenty_at_once_the_name",
            "tests/modules/throttle/test_business.py::TestTake::test_gives_no_more_places_to_many_at_once",
            "tests/database/test_engine.py::TestWriters",
            "tests/modules/blog/test_races.py::TestUpdate",
            "tests/modules/blog/test_races.py::TestDelete",
            f"{SERVER}::TestRaces",
        ),
    ),
    32: Row(
        "Pages of 10^9, a hundred filters, patterns in a search",
        "422, or found in less than a second",
        (
            "tests/contract/test_lists_under_attack.py::TestLists::test_have_pages_of_a_bounded_size",
            "tests/contract/test_lists_under_attack.py::TestLists::test_take_no_filter_a_hundred_times",
            "tests/contract/test_lists_under_attack.py::TestLists::test_read_no_pattern",
        ),
    ),
    33: Row(
        "Known faults of packages, secrets in the repository",
        "Everything is pinned with hashes and listed; bandit finds nothing; none is committed",
        (
            "tests/test_requirements.py::TestLock",
            "tests/test_requirements.py::TestBillOfMaterials",
            "tests/test_secrets.py::TestCommittedFiles",
        ),
    ),
    34: Row(
        "An address that no document has",
        "There is none; the pages beside the API are listed",
        (
            "tests/api/test_document.py::TestDocument::test_covers_every_rule_of_its_surfaces",
            "tests/test_architecture.py::TestApi::test_every_rule_has_an_operation",
            "tests/contract/test_addresses.py::TestUrlMap",
        ),
    ),
}

HEAD = """# The security matrix

What is attacked, what is answered, and the tests that show it, below `tests/`. Most rows are tried in the process
itself, on each database where one has a part in them; `tests/e2e/test_security.py` tries what depends on it on real
servers of four processes, in all three async modes. This page is written from `tests/security_matrix.py`, and
`tests/test_security_matrix.py` fails when a test that it names is not there. [SECURITY.md](../SECURITY.md) says how to
report what is missing.

| # | attack | answer | tests |
|---|---|---|---|
"""


def page() -> str:
    """Return the table as a page."""
    lines = []
    for number, row in ROWS.items():
        tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in row.tests)
        lines.append(f"| {number} | {row.attack} | {row.answer} | {tests} |\n")
    return HEAD + "".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
