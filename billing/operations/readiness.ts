/** What `/api/ready` answers: whether this server can do its work, and how old the last runs and events are. */
import type Stripe from "stripe";
import type { Database } from "../db/database.ts";
import { newestMigration } from "../db/newest_migration.ts";
import { BillingError } from "../errors.ts";
import { version } from "../version.ts";
import { readServiceStatus, type ServiceStatus } from "./service_status.ts";
import { stripeReachability } from "./stripe_reachability.ts";

/** One thing that has to work. */
export interface ReadinessPart {
  ok: boolean;
  /** What is wrong. */
  detail?: string;
}

export interface Readiness {
  /** Whether every part is. */
  ready: boolean;
  version: string;
  parts: { database: ReadinessPart; migrations: ReadinessPart; stripe: ReadinessPart };
  /** In seconds; null where there was none yet, or where the database does not answer. */
  ages: { reconciliation: number | null; usageReport: number | null; event: number | null };
  /** How long the oldest usage report is due, in seconds; 0 when none is, null when it is not known. */
  outboxAge: number | null;
  /** Anomalies that wait for a person; null when it is not known. */
  openAnomalies: number | null;
  /** The scheduled jobs that should have run by now. This does not make a server unready: another one is as little help. */
  lateJobs: string[];
}

/** The database is asked once in so long, however many ask. */
const KEPT_MS = 2_000;
/** A health check does not wait for as long as a person may. */
const ANSWER_MS = 5_000;

/** Makes the function that tells whether the server is ready. It never rejects. */
export function readiness(
  { db, stripe, now = Date.now }: { db: Database; stripe: Stripe; now?: () => number },
): () => Promise<Readiness> {
  const isStripeReachable = stripeReachability(stripe, now);
  let kept: { at: number; status: Promise<ServiceStatus | string> } | undefined;

  function status(): Promise<ServiceStatus | string> {
    if (kept && now() - kept.at < KEPT_MS) return kept.status;
    kept = { at: now(), status: statusOrFault(db) };
    return kept.status;
  }

  return async () => {
    const [found, stripeAnswers] = await Promise.all([status(), isStripeReachable()]);
    const known = typeof found === "string" ? null : found;
    const parts = {
      database: known ? { ok: true } : { ok: false, detail: found as string },
      migrations: migrationsOf(known),
      stripe: stripeAnswers ? { ok: true } : { ok: false, detail: "no answer in the last five minutes" },
    };
    return {
      ready: Object.values(parts).every(({ ok }) => ok),
      version,
      parts,
      ages: {
        reconciliation: known?.jobs.reconcile?.ageSeconds ?? null,
        usageReport: known?.jobs["report-usage"]?.ageSeconds ?? null,
        event: known?.lastEventAgeSeconds ?? null,
      },
      outboxAge: known ? known.outboxAgeSeconds ?? 0 : null,
      openAnomalies: known?.openAnomalies ?? null,
      lateJobs: Object.entries(known?.jobs ?? {}).filter(([, { isLate }]) => isLate).map(([name]) => name),
    };
  };
}

/** The status, or what is wrong. A database without the migrations has no function to call. */
async function statusOrFault(db: Database): Promise<ServiceStatus | string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("no answer in time"), ANSWER_MS);
  });
  try {
    return await Promise.race([readServiceStatus(db), late]);
  } catch (error) {
    return error instanceof BillingError
      ? "it cannot be reached"
      : "it lacks the migrations, or refuses the role";
  } finally {
    clearTimeout(timer);
  }
}

function migrationsOf(status: ServiceStatus | null): ReadinessPart {
  if (status === null) return { ok: false, detail: "not known without the database" };
  // Where migrations are not recorded as the Supabase CLI does, the function that told the status is proof enough.
  if (status.newestMigration === null || status.newestMigration >= newestMigration) return { ok: true };
  return { ok: false, detail: `${status.newestMigration} is applied, ${newestMigration} is needed` };
}
