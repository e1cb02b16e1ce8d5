import assert from "node:assert/strict";
import { failure } from "../api/client.ts";
import { openParentChannel } from "./channel.ts";
import { FakeClock } from "../testing/fake_clock.ts";
import { FakeParent, PARENT } from "../testing/fake_parent.ts";

const CONTEXT = { type: "pluginContext", identityToken: "token-1" };

/** A channel that is open, and the callbacks that came through it. */
function open() {
  const callbacks: string[] = [];
  const channel = openParentChannel(PARENT, (status) => callbacks.push(status));
  return { channel, callbacks, [Symbol.dispose]: () => channel.close() };
}

Deno.test("the plugin asks until it is answered, and only its parent's origin can read it", async () => {
  using clock = new FakeClock();
  using parent = new FakeParent();
  using opened = open();
  const token = opened.channel.proveIdentity();
  await clock.pass(800);
  const ready = { data: { type: "pluginReady", pluginType: "dues" }, target: PARENT };
  assert.deepEqual(parent.sent, [ready, ready, ready]);
  parent.says(CONTEXT);
  assert.deepEqual(await token, { ok: true, data: { identityToken: "token-1" } });
  await clock.pass(60_000);
  assert.equal(parent.sent.length, 3);
});

Deno.test("a parent that never answers is given up on", async () => {
  using clock = new FakeClock();
  using _parent = new FakeParent();
  using opened = open();
  const token = opened.channel.proveIdentity();
  await clock.pass(20_000);
  assert.deepEqual(await token, failure("parent_silent"));
});

for (
  const [from, sender] of [
    ["another origin", { origin: "https://evil.test" }],
    ["an origin that only begins alike", { origin: `${PARENT}.evil.test` }],
    ["an opaque origin", { origin: "null" }],
    ["another window of the parent's origin", { source: {} }],
    ["no window", { source: null }],
  ] as const
) {
  Deno.test(`a message from ${from} is ignored`, async () => {
    using clock = new FakeClock();
    using parent = new FakeParent();
    using opened = open();
    const token = opened.channel.proveIdentity();
    await clock.pass(0);
    parent.says({ ...CONTEXT, identityToken: "forged" }, sender);
    parent.says({ type: "stripeCallback", status: "success" }, sender);
    parent.says(CONTEXT);
    assert.deepEqual(await token, { ok: true, data: { identityToken: "token-1" } });
    assert.deepEqual(opened.callbacks, []);
  });
}

Deno.test("a return from Stripe comes through, asked for or not, and none after the channel is closed", () => {
  using parent = new FakeParent();
  using opened = open();
  parent.says({ type: "stripeCallback", status: "cancel" });
  parent.says({ type: "stripeCallback", status: "paid" });
  opened.channel.close();
  parent.says({ type: "stripeCallback", status: "success" });
  assert.deepEqual(opened.callbacks, ["cancel"]);
});
