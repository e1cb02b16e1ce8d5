import assert from "node:assert/strict";
import { failure } from "../api/client.ts";
import { openParentChannel } from "./channel.ts";
import { FakeClock } from "../testing/fake_clock.ts";
import { FakeParent, PARENT } from "../testing/fake_parent.ts";

const CONTEXT = { type: "pluginContext", identityToken: "token-1" };

/** An open channel and the callbacks it received. */
function open() {
  const callbacks: string[] = [];
  const channel = openParentChannel(PARENT, (status) => callbacks.push(status));
  return { channel, callbacks };
}

Deno.test("the channel posts pluginReady to the parent's origin until it is answered", async () => {
  using clock = new FakeClock();
  using parent = new FakeParent();
  const opened = open();
  const token = opened.channel.proveIdentity();
  await clock.pass(800);
  const ready = { data: { type: "pluginReady", pluginType: "dues" }, target: PARENT };
  assert.deepEqual(parent.sent, [ready, ready, ready]);
  parent.posts(CONTEXT);
  assert.deepEqual(await token, { ok: true, data: { identityToken: "token-1" } });
  await clock.pass(60_000);
  assert.equal(parent.sent.length, 3);
});

Deno.test("proveIdentity() fails with parent_silent when the parent never answers", async () => {
  using clock = new FakeClock();
  using _parent = new FakeParent();
  const opened = open();
  const token = opened.channel.proveIdentity();
  await clock.pass(20_000);
  assert.deepEqual(await token, failure("parent_silent"));
});

for (
  const [from, sender] of [
    ["another origin", { origin: "https://evil.test" }],
    ["an origin with the same beginning", { origin: `${PARENT}.evil.test` }],
    ["an opaque origin", { origin: "null" }],
    ["another window of the parent's origin", { source: {} }],
    ["no window", { source: null }],
  ] as const
) {
  Deno.test(`the channel ignores a message from ${from}`, async () => {
    using clock = new FakeClock();
    using parent = new FakeParent();
    const opened = open();
    const token = opened.channel.proveIdentity();
    await clock.pass(0);
    parent.posts({ ...CONTEXT, identityToken: "forged" }, sender);
    parent.posts({ type: "stripeCallback", status: "success" }, sender);
    parent.posts(CONTEXT);
    assert.deepEqual(await token, { ok: true, data: { identityToken: "token-1" } });
    assert.deepEqual(opened.callbacks, []);
  });
}

Deno.test("the channel passes on stripeCallback at any time, but no unknown status", () => {
  using parent = new FakeParent();
  const opened = open();
  parent.posts({ type: "stripeCallback", status: "cancel" });
  parent.posts({ type: "stripeCallback", status: "paid" });
  assert.deepEqual(opened.callbacks, ["cancel"]);
});
