import assert from "node:assert/strict";
import { type ApiResult, failure } from "../api/client.ts";
import { FakeClock } from "../testing/fake_clock.ts";
import { FakeParent, PARENT } from "../testing/fake_parent.ts";
import { openCommonGroundChannel } from "./common_ground_channel.ts";

const PLUGIN_ID = "d0000000-0000-4000-8000-000000000001";
const signed = (requestId: string) => ({ request: JSON.stringify({ requestId }), signature: "ours" });
const SIGNED = { ticket: "ticket-1", userInfo: signed("request-u"), communityInfo: signed("request-c") };

/** A channel to a fake Common Ground, with the plugin's API answering `api`. */
function open(
  { iframeUid = "a1B2c3D4e5" as string | null, api = { ok: true, data: SIGNED } as ApiResult<unknown> } = {},
) {
  const calls: unknown[] = [];
  const channel = openCommonGroundChannel({
    parentOrigin: PARENT,
    iframeUid,
    callApi: <T>(...[method, path, { body } = {}]: [string, string, { body?: unknown }?]) => {
      calls.push([method, path, body]);
      return Promise.resolve(api as ApiResult<T>);
    },
  });
  return { channel, calls };
}

/** The requests the parent received, oldest first. Asserts that each was sent to its origin only. */
function asked(parent: FakeParent) {
  return parent.sent.map((message) => {
    const { data, target } = message as { data: { request: string }; target: string };
    assert.equal(target, PARENT);
    return JSON.parse(data.request);
  });
}

const answer = (requestId: string, data: unknown, signature?: string) => ({
  type: requestId,
  payload: { response: JSON.stringify({ data, requestId, pluginId: PLUGIN_ID }), signature },
});
const answerSigned = (parent: FakeParent, requestId: string, signature = "theirs") =>
  parent.posts(answer(requestId, { of: requestId }, signature));

/** Answers `init`, so that the signed requests are sent. */
async function initialised(clock: FakeClock, parent: FakeParent): Promise<void> {
  const [{ requestId }] = asked(parent);
  parent.posts(answer(requestId, { pluginId: PLUGIN_ID, userId: "u", assignableRoleIds: [] }));
  await clock.runMicrotasks();
}

Deno.test("proveIdentity() returns the ticket and both signed answers", async () => {
  using clock = new FakeClock();
  using parent = new FakeParent();
  const opened = open();
  const proof = opened.channel.proveIdentity();
  await initialised(clock, parent);
  const [init, ...requests] = asked(parent);
  assert.deepEqual([init.type, init.data, init.iframeUid], ["safeRequest", { type: "init" }, "a1B2c3D4e5"]);
  assert.deepEqual(opened.calls, [["POST", "/api/auth/common-ground", {
    iframeUid: "a1B2c3D4e5",
    pluginId: PLUGIN_ID,
  }]]);
  assert.deepEqual(requests.map(({ requestId }) => requestId), ["request-u", "request-c"]);
  assert.deepEqual(parent.sent.slice(1).map((message) => (message as { data: unknown }).data), [
    SIGNED.userInfo,
    SIGNED.communityInfo,
  ]);

  answerSigned(parent, "request-c");
  answerSigned(parent, "request-u");
  const of = (requestId: string) => {
    const { payload } = answer(requestId, { of: requestId }, "theirs");
    return { response: payload.response, signature: "theirs" };
  };
  assert.deepEqual(await proof, {
    ok: true,
    data: { ticket: "ticket-1", userInfo: of("request-u"), communityInfo: of("request-c") },
  });
});

Deno.test("proveIdentity() repeats init until it is answered, and sends signed requests once", async () => {
  using clock = new FakeClock();
  using parent = new FakeParent();
  const opened = open();
  const proof = opened.channel.proveIdentity();
  await clock.pass(4_500);
  assert.deepEqual(asked(parent).map(({ data }) => data.type), ["init", "init", "init"]);
  const { requestId } = asked(parent)[2];
  parent.posts(answer(requestId, { pluginId: PLUGIN_ID }));
  await clock.runMicrotasks();
  await clock.pass(20_000);
  assert.equal(parent.sent.length, 5);
  assert.deepEqual(await proof, failure("parent_silent"));
});

Deno.test("proveIdentity() fails with parent_silent without iframeUid, without an answer to init, or after a refusal", async () => {
  using clock = new FakeClock();
  using parent = new FakeParent();
  const without = open({ iframeUid: null });
  assert.deepEqual(await without.channel.proveIdentity(), failure("parent_silent"));
  assert.deepEqual(parent.sent, []);

  const opened = open();
  const unanswered = opened.channel.proveIdentity();
  await clock.pass(20_000);
  assert.deepEqual(await unanswered, failure("parent_silent"));

  parent.sent.length = 0;
  const refused = opened.channel.proveIdentity();
  await initialised(clock, parent);
  parent.posts(answer("request-u", { error: "NOT_ALLOWED" }));
  answerSigned(parent, "request-c");
  assert.deepEqual(await refused, failure("parent_silent"));
});

Deno.test("proveIdentity() returns a failure of the plugin's server and sends Common Ground no signed request", async () => {
  using clock = new FakeClock();
  using parent = new FakeParent();
  const opened = open({ api: failure("network_error") });
  const proof = opened.channel.proveIdentity();
  await initialised(clock, parent);
  assert.deepEqual(await proof, failure("network_error"));
  assert.equal(parent.sent.length, 1);
});

for (
  const [from, sender] of [
    ["another origin", { origin: "https://evil.test" }],
    ["another window of the parent's origin", { source: {} }],
    ["no window", { source: null }],
  ] as const
) {
  Deno.test(`the Common Ground channel ignores an answer from ${from}`, async () => {
    using clock = new FakeClock();
    using parent = new FakeParent();
    const opened = open();
    const proof = opened.channel.proveIdentity();
    await initialised(clock, parent);
    parent.posts(answer("request-u", { of: "forger" }, "forged"), sender);
    answerSigned(parent, "request-u");
    answerSigned(parent, "request-c");
    const result = await proof;
    assert.ok(result.ok && "userInfo" in result.data);
    assert.equal(result.data.userInfo.signature, "theirs");
  });
}

Deno.test("the Common Ground channel ignores messages of other shapes", async () => {
  using clock = new FakeClock();
  using parent = new FakeParent();
  const opened = open();
  const proof = opened.channel.proveIdentity();
  await initialised(clock, parent);
  for (
    const data of [
      null,
      "request-u",
      { type: "request-u" },
      { type: "request-u", payload: null },
      { type: "request-u", payload: { response: {} } },
      { type: "request-u", payload: { response: "{}", signature: 7 } },
      { type: "stripeCallback", status: "success" },
      { type: "__proto__", payload: { response: "{}" } },
    ]
  ) parent.posts(data);
  await clock.pass(20_000);
  assert.deepEqual(await proof, failure("parent_silent"));
});

Deno.test("the Common Ground channel sends openUrl as navigate, and no other plugin message", async () => {
  using clock = new FakeClock();
  using parent = new FakeParent();
  const opened = open();
  opened.channel.send({ type: "pluginReady", pluginType: "dues" });
  opened.channel.send({ type: "pluginResize", height: 640 });
  opened.channel.send({ type: "openUrl", url: "https://checkout.stripe.com/c/pay/1" });
  const [request, ...more] = asked(parent);
  assert.deepEqual(request.data, { type: "navigate", to: "https://checkout.stripe.com/c/pay/1" });
  assert.deepEqual([request.type, request.iframeUid, more.length], ["safeRequest", "a1B2c3D4e5", 0]);
  await clock.pass(20_000);
});
