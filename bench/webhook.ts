/**
 * `deno task bench:webhook`: webhooks a second over HTTP, as a ratio to the same SQL call made by the driver and by pgbench.
 * The ways take turns in one run of about a minute, so that other load on the machine affects all of them in the same way.
 * `--json` prints one line of JSON.
 */
import { parseArgs } from "node:util";
import Stripe from "stripe";
import { connectDatabase, type Database } from "../billing/db/database.ts";
import { connectStripe } from "../billing/stripe.ts";
import { readStripeEvent } from "../billing/events/read_event.ts";
import { recordEvents } from "../billing/events/record_events.ts";
import { webhookHandler } from "../billing/http/webhook_handler.ts";
import { withEphemeralCluster } from "../local/postgres/ephemeral_cluster.ts";
import { CLUSTER_VARIABLE, createDatabase, type TestDatabase } from "../tests/support/database.ts";
import { stripeEvent, subscription } from "../tests/events/stripe_stand_in.ts";

const CONCURRENCIES = [1, 16];
const ROUNDS = 3;
const ROUND_SECONDS = 3;
const SECRET = "whsec_bench";
const CUSTOMERS = 1000;

/** One way to apply an event. */
interface Way {
  name: string;
  /** Events a second in one round with that many callers. */
  measure(callers: number): Promise<number>;
}

let made = 0;

/** A new event with a new state, for each of the communities in turn. */
function nextEvent() {
  const nth = made++ % CUSTOMERS;
  const object = subscription("active", {
    id: `sub_${nth}`,
    customer: `cus_${nth}`,
    trial_end: 1_600_000_000 + made,
  });
  return {
    ...stripeEvent("customer.subscription.updated", 1_700_000_000 + made, object),
    id: `evt_bench_${made}`,
  };
}

async function prepare(database: TestDatabase): Promise<void> {
  const operator = database.connect("postgres");
  await operator`update public.plans set stripe_price_id = 'price_pro' where code = 'pro'`;
  await operator`
    insert into public.communities (id, title, current_plan_id)
    select 'community ' || n, 'Community', p.id from public.plans p, generate_series(0, ${
    CUSTOMERS - 1
  }) n where p.is_default`;
  await operator`select billing.link_customer('community ' || n, 'cus_' || n) from generate_series(0, ${
    CUSTOMERS - 1
  }) n`;
}

/** Calls a second. Each caller makes one call after the other. */
async function perSecond(callers: number, call: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  let done = 0;
  await Promise.all(Array.from({ length: callers }, async () => {
    while (performance.now() - begun < ROUND_SECONDS * 1000) {
      await call();
      done++;
    }
  }));
  return done / (performance.now() - begun) * 1000;
}

const signer = new Stripe("sk_test_bench").webhooks;

/** Sender and receiver share this process, so its time includes signing and verifying, sending and receiving. */
function overHttp(url: string): Way {
  return {
    name: "webhook over HTTP",
    measure: (callers) =>
      perSecond(callers, async () => {
        const payload = JSON.stringify(nextEvent());
        const signature = await signer.generateTestHeaderStringAsync({ payload, secret: SECRET });
        const response = await fetch(url, {
          method: "POST",
          headers: { "stripe-signature": signature },
          body: payload,
        });
        const { outcome } = await response.json();
        // Two events of one community may arrive in the other order.
        if (outcome !== "applied" && outcome !== "stale") {
          throw new Error(`The webhook answered ${response.status} ${outcome}`);
        }
      }),
  };
}

function byDriver(db: Database): Way {
  return {
    name: "SQL call by the driver",
    measure: (callers) =>
      perSecond(callers, async () => {
        await recordEvents(db, [readStripeEvent(JSON.stringify(nextEvent()), { isLive: false })]);
      }),
  };
}

/** The same call with an event of the same shape, built by pgbench. */
function byPgbench(url: string, script: string): Way {
  return {
    name: "SQL call by pgbench",
    async measure(callers) {
      const { success, stdout, stderr } = await new Deno.Command("pgbench", {
        args: [
          "-n",
          "-c",
          `${callers}`,
          "-j",
          "1",
          "-T",
          `${ROUND_SECONDS}`,
          "-f",
          script,
          url,
        ],
        stdout: "piped",
        stderr: "piped",
      }).output();
      const [, tps] = new TextDecoder().decode(stdout).match(/^tps = ([\d.]+)/m) ?? [];
      if (!success || tps === undefined) throw new Error(new TextDecoder().decode(stderr));
      return Number(tps);
    },
  };
}

/**
 * For pgbench's simple protocol, which does not treat the colons of JSON as variables. Ids and times come from the clock and
 * a random number, and do not collide with those of the other ways.
 */
function pgbenchScript(): string {
  const body = { ...nextEvent(), id: "@event" };
  const event = readStripeEvent(JSON.stringify({ ...body, created: 1 }), { isLive: false });
  const text = JSON.stringify({ ...event, created: "@created", payload: { ...body, created: "@created" } });
  const filled =
    `replace(replace(replace('[${text}]', '@event', 'evt_pgbench_' || :at::text || :chance::text),
    '"@created"', :at::text), '_0"', '_' || :nth::text || '"')::json`;
  return [
    "\\set chance random(1, 1000000000)",
    `\\set nth random(0, ${CUSTOMERS - 1})`,
    "\\set at 1800000000 + random(1, 1000000000)",
    `select billing.process_events(${filled.replaceAll("\n", " ")});`,
  ].join("\n");
}

async function hasPgbench(): Promise<boolean> {
  try {
    return (await new Deno.Command("pgbench", { args: ["--version"], stdout: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

interface Row {
  way: string;
  callers: number;
  /** The median of the rounds. */
  perSecond: number;
  /** The ratio to the driver with as many callers. */
  ratio: number;
}

async function measureAll(ways: Way[]): Promise<Row[]> {
  const subjects = ways.flatMap((way) =>
    CONCURRENCIES.map((callers) => ({ way, callers, rounds: [] as number[] }))
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const { way, callers, rounds } of subjects) rounds.push(await way.measure(callers));
  }
  const rows = subjects.map(({ way, callers, rounds }) => ({
    way: way.name,
    callers,
    perSecond: rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)],
  }));
  const driver = (callers: number) =>
    rows.find((row) => row.way.endsWith("driver") && row.callers === callers)!;
  return rows.map((row) => ({ ...row, ratio: row.perSecond / driver(row.callers).perSecond }));
}

async function measureWebhook(): Promise<Row[]> {
  await using database = await createDatabase();
  await prepare(database);
  const url = database.url("billing_service");
  const db = connectDatabase(url, { max: 10 });
  const stripe = connectStripe({ secretKey: "sk_test_bench", apiBase: "http://127.0.0.1:1" });
  const handler = webhookHandler({ db, stripe, isLive: false, secrets: [SECRET] });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  const script = await Deno.makeTempFile({ suffix: ".sql" });
  try {
    await Deno.writeTextFile(script, pgbenchScript());
    const ways = [overHttp(`http://127.0.0.1:${server.addr.port}/`), byDriver(db)];
    if (await hasPgbench()) ways.push(byPgbench(url, script));
    else console.error("SQL call by pgbench: left out, because pgbench is not installed.");
    return await measureAll(ways);
  } finally {
    await Deno.remove(script);
    await server.shutdown();
    await db.close();
  }
}

const { json } = parseArgs({ options: { json: { type: "boolean", default: false } } }).values;
const rows = await withEphemeralCluster((cluster) => {
  Deno.env.set(CLUSTER_VARIABLE, JSON.stringify(cluster));
  return measureWebhook();
});
if (json) console.log(JSON.stringify(rows));
else {
  console.table(rows.map(({ way, callers, perSecond, ratio }) => ({
    way,
    callers,
    "events a second": Math.round(perSecond),
    "to the driver": ratio.toFixed(2),
  })));
}
