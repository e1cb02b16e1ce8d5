// A limited feature over HTTP: POST /api/assistant/messages.
import assert from "node:assert/strict";
import type { Pool } from "../../billing/db/sql.ts";
import { type Answer, type ApiClient, apiClient, newAdmin, type Person } from "../http/client.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

let stack: TestStack;
let api: ApiClient;
let sql: Pool;

Deno.test.beforeAll(async () => {
  stack = await startTestStack();
  api = apiClient(stack);
  sql = stack.database.connect("postgres");
});
Deno.test.afterAll(() => stack?.stop());

const ASSISTANT = "/api/assistant/messages";
const DAYS_30 = 30 * 86400;

const say = (token: string, json: unknown = { message: "Hello" }): Promise<Answer> =>
  api.call("POST", ASSISTANT, { token, json });

/** Puts the community on a new plan with this quota of messages in 30 days. Returns the plan's code. */
async function limitTo({ cid }: Person, quota: number) {
  const code = `plan_${crypto.randomUUID().slice(0, 8)}`;
  await sql.begin(async (tx) => {
    await tx`
      insert into public.plans (code, name, rank, price_cents, currency, is_active)
      select ${code}, 'Test', -count(*), 0, 'usd', false from public.plans`;
    await tx`
      insert into public.plan_limits (plan_id, feature, quota_window, quota)
      select id, 'ai_chat_message', interval '30 days', ${quota} from public.plans where code = ${code}`;
    await tx`
      update public.communities set current_plan_id = (select id from public.plans where code = ${code})
      where id = ${cid}`;
  });
  return code;
}

async function used({ cid }: Person): Promise<number> {
  const [row] = await sql`
    select coalesce(sum(quantity - released_quantity), 0)::int as used from public.usage_events
    where community_id = ${cid}`;
  return row.used;
}

Deno.test("a message is answered and counted, with RateLimit headers and in billing-info", async () => {
  const person = newAdmin({ adm: false });
  const token = await api.signIn(person);
  const { status, headers, body } = await say(token, { message: " Good morning " });
  assert.deepEqual([status, body], [200, { reply: "Good morning" }]);
  assert.equal(headers.get("ratelimit-policy"), `"ai_chat_message-${DAYS_30}s";q=100;w=${DAYS_30}`);
  const [, remaining, seconds] = headers.get("ratelimit")!.match(
    /^"ai_chat_message-2592000s";r=(\d+);t=(\d+)$/,
  )!;
  assert.equal(remaining, "99");
  assert.ok(Number(seconds) > DAYS_30 && Number(seconds) <= DAYS_30 * 1.01, seconds);

  const { body: info } = await api.call("GET", "/api/community/billing-info", { token });
  const usage = info.usage.find(({ feature }: { feature: string }) => feature === "ai_chat_message");
  assert.deepEqual([usage.used, usage.quota, usage.daily.length], [1, 100, 30]);
  assert.equal(usage.daily.reduce((sum: number, units: number) => sum + units), 1);
  assert.ok(Date.parse(usage.resetsAt) > Date.now() + (DAYS_30 - 60) * 1000);
});

Deno.test("a message without a session is refused with 401 missing_token", async () => {
  const { status, body } = await api.call("POST", ASSISTANT, { json: { message: "Hello" } });
  assert.deepEqual([status, body.code], [401, "missing_token"]);
});

Deno.test("a message that is refused with an error uses no quota", async () => {
  const person = newAdmin();
  const token = await api.signIn(person);
  const answers = [
    await say(token, { message: "" }),
    await say(token, { message: "x".repeat(2001) }),
    await say(token, { message: "Hello", admin: true }),
    await api.call("POST", ASSISTANT, { token, body: "{" }),
    await api.call("POST", ASSISTANT, { token, body: "x".repeat(20_000) }),
    await api.call("GET", ASSISTANT, { token }),
  ];
  assert.deepEqual(answers.map(({ status }) => status), [400, 400, 400, 400, 413, 405]);
  for (const { headers } of answers) assert.equal(headers.get("ratelimit"), null);
  assert.equal(await used(person), 0);
});

Deno.test("a message beyond the quota is refused with 402 and all members; a higher quota takes effect at once", async () => {
  const person = newAdmin();
  const token = await api.signIn(person);
  const code = await limitTo(person, 2);
  assert.deepEqual([(await say(token)).status, (await say(token)).status], [200, 200]);

  const { status, headers, body } = await say(token);
  assert.equal(status, 402);
  assert.equal(headers.get("content-type"), "application/problem+json");
  const { resetsAt, detail, title, ...rest } = body;
  assert.deepEqual(rest, {
    type: "about:blank",
    status: 402,
    code: "quota_exceeded",
    feature: "ai_chat_message",
    quota: 2,
    used: 2,
    windowSeconds: DAYS_30,
    period: "rolling",
    plan: code,
    upgradePlan: "free",
  });
  assert.ok(title.length > 0 && detail.length > 0);
  const wait = Number(headers.get("retry-after"));
  assert.ok(wait > DAYS_30 - 60 && wait <= DAYS_30 * 1.01);
  assert.ok(Math.abs(Date.parse(resetsAt) - Date.now() - wait * 1000) < 60_000);
  assert.equal(await used(person), 2);

  await sql`
    update public.plan_limits set quota = 3
    where plan_id = (select id from public.plans where code = ${code})`;
  assert.equal((await say(token)).status, 200);
});

Deno.test("10 of 40 messages at once are answered when the quota is 10", async () => {
  const person = newAdmin();
  const token = await api.signIn(person);
  await limitTo(person, 10);
  const answers = await Promise.all(Array.from({ length: 40 }, () => say(token)));
  const count = (status: number) => answers.filter((answer) => answer.status === status).length;
  assert.deepEqual([count(200), count(402)], [10, 30]);
});

Deno.test("a message on a plan without a limit is refused with 500 quota_not_configured", async () => {
  const person = newAdmin();
  const token = await api.signIn(person);
  const code = await limitTo(person, 10);
  await sql`delete from public.plan_limits where plan_id = (select id from public.plans where code = ${code})`;
  const { status, body } = await say(token);
  assert.deepEqual([status, body.code], [500, "quota_not_configured"]);
  assert.equal(await used(person), 0);
});
