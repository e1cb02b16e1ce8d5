import assert from "node:assert/strict";
import { type ApiResult, failure } from "./client.ts";
import { createSession, type SessionDeps } from "./session.ts";
import { FakeClock } from "../testing/fake_clock.ts";

const HOUR = 3_600_000;

/** An API that issues token-1, token-2, … and answers any other call with the token it was sent. */
function setUp(clock: FakeClock, { lifetime = HOUR, refused = [] as string[] } = {}) {
  const log: string[] = [];
  let asked = 0;
  const deps = {
    proveIdentity: () => {
      log.push("ask parent");
      return Promise.resolve({ ok: true as const, data: { identityToken: `identity-${++asked}` } });
    },
    callApi: <T>(
      ...[, path, { token, body } = {}]: Parameters<SessionDeps["callApi"]>
    ): Promise<ApiResult<T>> => {
      if (path === "/api/auth/session") {
        const { identityToken } = body as { identityToken: string };
        log.push(`open ${identityToken}`);
        const data = {
          token: identityToken.replace("identity", "token"),
          expiresAt: clock.in(lifetime),
          pluginId: "p1",
        };
        return Promise.resolve({ ok: true, data: data as T });
      }
      log.push(`${path} ${token}`);
      if (refused.includes(token ?? "")) return Promise.resolve(failure("expired_token", 401));
      return Promise.resolve({ ok: true, data: token as T });
    },
  };
  return { log, deps };
}

Deno.test("session.call() gets a token at the first call and uses it again for the next", async () => {
  using clock = new FakeClock();
  const { log, deps } = setUp(clock);
  const session = createSession(deps);
  assert.deepEqual(await session.call("GET", "/a"), { ok: true, data: "token-1" });
  await session.call("GET", "/b");
  assert.deepEqual(log, ["ask parent", "open identity-1", "/a token-1", "/b token-1"]);
});

Deno.test("session.call() opens one session for calls made at the same time", async () => {
  using clock = new FakeClock();
  const { log, deps } = setUp(clock);
  const session = createSession(deps);
  await Promise.all([session.call("GET", "/a"), session.call("GET", "/b")]);
  assert.deepEqual(log, ["ask parent", "open identity-1", "/a token-1", "/b token-1"]);
});

Deno.test("a session token is renewed a minute before it expires", async () => {
  using clock = new FakeClock();
  const { log, deps } = setUp(clock);
  const session = createSession(deps);
  await session.call("GET", "/a");
  await clock.pass(HOUR - 61_000);
  assert.deepEqual(log.slice(3), []);
  await clock.pass(2_000);
  assert.deepEqual(log.slice(3), ["ask parent", "open identity-2"]);
  await session.call("GET", "/b");
  assert.deepEqual(log.slice(5), ["/b token-2"]);
});

Deno.test("a session token that lives less than a minute is renewed after half its lifetime", async () => {
  using clock = new FakeClock();
  const { log, deps } = setUp(clock, { lifetime: 40_000 });
  await createSession(deps).call("GET", "/a");
  await clock.pass(70_000);
  assert.equal(log.filter((entry) => entry === "ask parent").length, 4);
});

Deno.test("session.call() does not send a token that expired while the computer slept", async () => {
  using clock = new FakeClock();
  const { log, deps } = setUp(clock);
  const session = createSession(deps);
  await session.call("GET", "/a");
  clock.sleep(2 * HOUR);
  await session.call("GET", "/b");
  assert.deepEqual(log.slice(3), ["ask parent", "open identity-2", "/b token-2"]);
});

Deno.test("session.call() repeats a call answered 401 once with a new token, and not a third time", async () => {
  using clock = new FakeClock();
  const once = setUp(clock, { refused: ["token-1"] });
  assert.deepEqual(await createSession(once.deps).call("GET", "/a"), { ok: true, data: "token-2" });
  const always = setUp(clock, { refused: ["token-1", "token-2", "token-3"] });
  assert.deepEqual(await createSession(always.deps).call("GET", "/a"), failure("expired_token", 401));
  assert.equal(always.log.filter((entry) => entry.startsWith("/a")).length, 2);
});

Deno.test("session.call() fails with parent_silent when there is no proof of identity, and asks for one again at the next call", async () => {
  using clock = new FakeClock();
  const { log, deps } = setUp(clock);
  const session = createSession({ ...deps, proveIdentity: () => Promise.resolve(failure("parent_silent")) });
  assert.deepEqual(await session.call("GET", "/a"), failure("parent_silent"));
  assert.deepEqual(await session.call("GET", "/a"), failure("parent_silent"));
  assert.deepEqual(log, []);
});
