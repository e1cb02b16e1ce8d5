import type Stripe from "stripe";
import { z } from "zod";
import { callDatabase, orUnavailable } from "../db/database.ts";
import { asJson } from "../db/sql.ts";
import { Deadline } from "../deadline.ts";
import { subscriptionExpand, toPlain } from "../events/ask_stripe.ts";
import { inParallel } from "../events/in_parallel.ts";
import type { ObjectKind } from "../events/read_event.ts";
import { readInvoice } from "../events/read_invoice.ts";
import { readSubscription } from "../events/read_subscription.ts";
import { settleObject } from "../events/settle_object.ts";
import { idOf } from "../events/stripe_fields.ts";
import { BillingError } from "../errors.ts";
import { communityIdSchema } from "../ids.ts";
import { listPart } from "./list_part.ts";
import { messageOf } from "./report.ts";
import type { Part, Run } from "./run.ts";

/** Older invoices do not change any more, unless they are open: those have a list of their own. */
const INVOICES_FROM = "60 days";
/** How long Stripe is asked about one object, and about how many at the same time. */
const ASK_MS = 8_000;
const AT_ONCE = 4;
/** How many objects are taken at one step. */
const BATCH = 20;

const objectsSchema = z.array(z.object({
  id: z.string(),
  customer_id: z.string().nullable(),
  community_id: communityIdSchema.nullable(),
  was: z.string().nullable(),
}));
type StoredObject = z.output<typeof objectsSchema>[number];

/**
 * Compares subscriptions of every status, because a lost cancellation has to be found, and invoices with what is stored. Each
 * that differs is asked for and stored.
 */
export function compareObjects(run: Run): Part[] {
  const { subscriptions, invoices } = run.stripe;
  return [
    listPart<Stripe.Subscription>(run, {
      name: "subscriptions",
      page: (params, options) =>
        subscriptions.list({
          ...params,
          status: "all",
          expand: subscriptionExpand.map((path) => `data.${path}`),
        }, options),
      compare: (page) => comparePage(run, "subscription", page),
    }),
    listPart<Stripe.Invoice>(run, {
      name: "invoices",
      lookBack: INVOICES_FROM,
      page: (params, options) => invoices.list(params, options),
      compare: (page) => comparePage(run, "invoice", page),
    }),
    listPart<Stripe.Invoice>(run, {
      name: "open_invoices",
      page: (params, options) => invoices.list({ ...params, status: "open" }, options),
      compare: (page) => comparePage(run, "invoice", page),
    }),
  ];
}

async function comparePage(run: Run, kind: ObjectKind, page: { id: string }[]): Promise<void> {
  const listed = page.map(toPlain).map((object) => {
    const customer_id = idOf.safeParse(object.customer).data ?? null;
    try {
      const { hash } = kind === "subscription" ? readSubscription(object) : readInvoice(object);
      return { id: String(object.id), customer_id, state_hash: hash };
    } catch {
      // Asking for it shows what is wrong with it, if anything is.
      return { id: String(object.id), customer_id, state_hash: null };
    }
  });
  run.report.objectsCompared += listed.length;
  const drift = await callDatabase(
    objectsSchema,
    run.db`select billing.find_drift(${kind}, ${asJson(listed)})`,
  );
  await inParallel(drift, AT_ONCE, (object) => repair(run, kind, object));
}

/** Asks for one object and stores it. One that fails is noted, and is tried again by a later run. */
async function repair(run: Run, kind: ObjectKind, object: StoredObject): Promise<void> {
  const { db, report } = run;
  const { id, customer_id: customerId, community_id: communityId } = object;
  try {
    const settled = await settleObject(run, { kind, id, customerId }, Deadline.in(ASK_MS));
    if (settled.outcome === "missing") report.missingInStripe.push(id);
    else if (settled.isNew && settled.outcome !== "parked" && communityId !== null) {
      report.repairs.push({ kind, id, communityId, was: settled.was, is: settled.is ?? "deleted" });
    }
  } catch (error) {
    if (error instanceof BillingError && error.code === "database_unavailable") throw error;
    const message = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    report.failedObjects.push({ id, error: message });
    await orUnavailable(db`select billing.note_object_failure(${kind}, ${id}, ${communityId}, ${message})`);
  }
}

/**
 * Asks for what Stripe's lists did not show, one by one: the objects of test clocks, what Stripe has forgotten, and those of
 * another account.
 */
export function askForUnconfirmed(run: Run): Part[] {
  return (["subscription", "invoice"] as const).map((kind) => {
    const asked = new Set<string>();
    return {
      name: `unconfirmed ${kind}s`,
      async step() {
        const found = await callDatabase(
          objectsSchema,
          run.db`select billing.unconfirmed_objects(${kind}, ${BATCH})`,
        );
        const objects = found.filter(({ id }) => !asked.has(id));
        for (const { id } of objects) asked.add(id);
        await inParallel(objects, AT_ONCE, (object) => repair(run, kind, object));
        return objects.length > 0;
      },
    };
  });
}

const failuresSchema = z.array(z.object({
  kind: z.enum(["subscription", "invoice", "customer"]),
  id: z.string(),
  community_id: communityIdSchema.nullable(),
}));

/** Tries objects again that failed before, and are due. */
export function retryFailedObjects(
  run: Run,
  askForCustomer: (customer: { id: string; community_id: string | null }) => Promise<void>,
): Part {
  return {
    name: "failed objects",
    async step() {
      const due = await callDatabase(failuresSchema, run.db`select billing.claim_object_failures(${BATCH})`);
      await inParallel(
        due,
        AT_ONCE,
        ({ kind, id, community_id }) =>
          kind === "customer"
            ? askForCustomer({ id, community_id })
            : repair(run, kind, { id, community_id, customer_id: null, was: null }),
      );
      return due.length > 0;
    },
  };
}
