// deno task doctor on a whole installation: nothing wrong with a complete one, and the right sentence for each fault.
import assert from "node:assert/strict";
import { checks, type Diagnosis } from "../../billing/doctor/diagnosis.ts";
import { version } from "../../billing/version.ts";
import { runDeno } from "../support/run_deno.ts";
import { faults } from "./faults.ts";
import { type Installation, shown, startInstallation } from "./rig.ts";

let it: Installation;
Deno.test.beforeAll(async () => {
  it = await startInstallation();
});
Deno.test.afterAll(async () => {
  await it?.[Symbol.asyncDispose]();
});

/** What does not apply to this installation. */
const notChecked = [
  "skipped environment/Common Ground's keys: The parent app is not Common Ground.",
  "skipped apps/the parent app's keys: Identity tokens are not verified by a JWKS.",
];

Deno.test("deno task doctor finds nothing wrong with a complete installation", async () => {
  const diagnosis = await it.diagnose({}, { delivery: true, deliveryMs: 10_000 });
  assert.deepEqual(shown(diagnosis), notChecked);
  assert.ok(diagnosis.ok);
});

/** The doctor says of each fault what it is and what to do, and nothing of it remains when it is undone. */
for (const { fault, check, sentence, warning = false, set } of faults) {
  Deno.test(`deno task doctor when ${fault} says so at ${check}`, async () => {
    const { env = {}, options = {}, undo } = await set(it);
    let diagnosis: Diagnosis;
    try {
      diagnosis = await it.diagnose(env, { delivery: false, ...options });
    } finally {
      await undo?.();
    }
    const line = diagnosis.results.find(({ group, name, sentence: said }) =>
      `${group}/${name}` === check && sentence.test(said)
    );
    assert.ok(line, `no such sentence in\n${shown(diagnosis).join("\n")}`);
    assert.equal(line.status, warning ? "warning" : "error");
    assert.ok(line.cure);
    if (!warning) assert.equal(diagnosis.ok, false);
    // No check fell over.
    const fallen = shown(diagnosis).filter((text) => /The check (itself failed|did not end)/.test(text));
    assert.deepEqual(fallen, []);
  });
}

Deno.test("deno task doctor finds nothing wrong after all faults were undone", async () => {
  const diagnosis = await it.diagnose({}, { delivery: true, deliveryMs: 10_000 });
  assert.deepEqual(shown(diagnosis), notChecked);
});

Deno.test("every check of the doctor has a fault that it finds", () => {
  const found = new Set(faults.map(({ check }) => check));
  const all = checks.map(({ group, name }) => `${group}/${name}`);
  assert.deepEqual(all.filter((check) => !found.has(check)), []);
  assert.equal(new Set(all).size, all.length);
});

Deno.test("no sentence of the doctor contains a secret", async () => {
  const text = JSON.stringify(await it.diagnose({ STRIPE_WEBHOOK_SECRET: `bad ${it.env.CRON_SECRET}` }));
  for (
    const name of [
      "STRIPE_SECRET_KEY",
      "SESSION_SECRET",
      "CRON_SECRET",
      "PARENT_APP_JWT_SECRET",
      "OPERATOR_DB_URL",
    ]
  ) {
    assert.ok(!text.includes(it.env[name]), name);
  }
});

const task = (args: string[], env: Record<string, string>) =>
  runDeno(
    [
      "run",
      "--no-check",
      "--allow-net",
      "--allow-env",
      "--allow-sys",
      "--allow-read",
      "billing/tasks/doctor.ts",
      ...args,
    ],
    env,
  );

Deno.test("deno task doctor prints a line for each check, or with --json one line, and its exit code says whether all is right", async () => {
  const healthy = await task([], it.env);
  assert.equal(healthy.code, 0, healthy.stdout + healthy.stderr);
  assert.match(healthy.stdout, /^ {2}✓ migrations +All \d+ migrations are applied and unedited\.$/m);
  assert.match(healthy.stdout, /^\d+ right, 0 wrong, 0 to look at, 2 not checked$/m);

  const ill = await task(["--json"], { ...it.env, SESSION_SECRET: "" });
  assert.equal(ill.code, 1);
  const report = JSON.parse(ill.stdout);
  assert.deepEqual([report.ok, report.version], [false, version]);
  const line = report.results.find(({ status }: { status: string }) => status === "error");
  assert.match(line.sentence, /^SESSION_SECRET is missing/);
  assert.match(line.docs, /^docs\/\w+\.md#/);
});

Deno.test("deno task doctor without any environment names what is missing and exits with code 1", async () => {
  const { code, stdout, stderr } = await task([], {});
  assert.equal(code, 1, stderr);
  assert.match(stdout, /✗ variables +STRIPE_SECRET_KEY is missing/);
  assert.match(stdout, /- prices +Not checked: it needs the stripe and the schema\./);
});

Deno.test("deno task doctor of an installation without Supabase looks at the server's webhook and asks no edge function", async () => {
  const url = it.env.PLUGIN_URL;
  const { results } = await it.diagnose({ SUPABASE_URL: url }, { delivery: false });
  const said = (check: string) => results.find(({ group, name }) => `${group}/${name}` === check)!;
  assert.equal(said("functions/reconcile").status, "skipped");
  assert.match(said("functions/webhook").sentence, RegExp(`^The webhook ${url}/api/webhooks/stripe accepts`));
  assert.match(said("Stripe/webhook endpoint").sentence, /and not to http:\S+\/api\/webhooks\/stripe\.$/);
});
