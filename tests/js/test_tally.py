"""Counts on their way: sent in order, one at a time, kept until the server has them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import module_page

SETUP = """
  const { CountQueue } = await import("/tally.js");
  const { Refused, Unreachable } = await import("/api.js");
  let shelved = null;
  const shelf = { read: () => structuredClone(shelved), write: (value) => (shelved = structuredClone(value)) };
  const sent = [], said = [];
  let answers = [];
  const call = (kind) => async (cell, body) => {
    sent.push([kind, cell, body.base_version ?? body.standing]);
    const answer = answers.shift() ?? { base_version: 1 };
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const make = () => new CountQueue({
    api: { count: call("count"), standing: call("standing") }, shelf, waits: [0.01],
    stored: (cell) => said.push(["stored", cell]), refused: (cell, error) => said.push([error.code, cell]),
    changed: () => {},
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 120));
"""


@pytest.fixture
def run(browser_page: Any) -> Any:
    page = module_page(browser_page)
    return lambda body: page.evaluate(f"async () => {{ {SETUP} {body} }}")


def test_in_order_and_a_second_count_builds_on_the_first(run: Any) -> None:
    sent, said, shelved = run(
        """const queue = make();
        answers = [{ base_version: 7 }];
        queue.add("a", "count", { base_version: 6 });
        queue.add("b", "count", { base_version: 0 });
        queue.add("a", "count", { base_version: 6 });
        queue.add("a", "standing", { standing: "excluded" });
        await settle();
        return [sent, said, shelved];"""
    )
    assert sent == [["count", "a", 6], ["count", "b", 0], ["count", "a", 7], ["standing", "a", "excluded"]]
    assert [what for what, _ in said] == ["stored"] * 4 and shelved is None


def test_what_was_not_taken_is_kept_and_sent_again_by_the_next_page(run: Any) -> None:
    kept, sent, said = run(
        """answers = [new Unreachable("away"), new Refused(401, {})];
        make().add("a", "count", { base_version: 0 });
        await settle();
        const kept = shelved.length;
        await make().run();
        return [kept, sent.length, said];"""
    )
    assert (kept, sent, said) == (1, 3, [["stored", "a"]])


def test_what_waits_here_builds_on_what_was_stored_before_the_page_closed(run: Any) -> None:
    kept = run(
        """answers = [{ base_version: 7 }, new Refused(401, {})];
        const queue = make();
        queue.add("a", "count", { base_version: 6 });
        queue.add("a", "count", { base_version: 6 });
        await settle();
        return shelved.map(({ body }) => body.base_version);"""
    )
    assert kept == [7]


def test_a_refused_one_does_not_hold_up_the_others(run: Any) -> None:
    said, shelved = run(
        """answers = [new Refused(409, { code: "stale-count" })];
        const queue = make();
        queue.add("a", "count", { base_version: 0 });
        queue.add("b", "count", { base_version: 0 });
        await settle();
        return [said, shelved];"""
    )
    assert said == [["stale-count", "a"], ["stored", "b"]] and shelved is None
