import type Stripe from "stripe";
import { z } from "zod";
import { forgetCustomer } from "../checkout/customer.ts";
import { ownerOf } from "../checkout/ownership.ts";
import { callDatabase, orUnavailable } from "../db/database.ts";
import { asJson } from "../db/sql.ts";
import { Deadline } from "../deadline.ts";
import { BillingError } from "../errors.ts";
import { inParallel } from "../events/in_parallel.ts";
import { settleEventsOf } from "../events/open_events.ts";
import { communityIdSchema } from "../ids.ts";
import { askStripe, isMissing } from "../stripe.ts";
import { listPart } from "./list_part.ts";
import { messageOf } from "./report.ts";
import type { Part, Run } from "./run.ts";

const ASK_MS = 8_000;
const AT_ONCE = 4;
const BATCH = 20;

const customersSchema = z.array(z.object({ id: z.string(), community_id: communityIdSchema }));

/** Links customers that were made for a community and never linked. Their metadata names the community. */
export function compareCustomers(run: Run): Part {
  return listPart<Stripe.Customer>(run, {
    name: "customers",
    page: (params, options) => run.stripe.customers.list(params, options),
    compare: (page) => linkUnlinked(run, page),
  });
}

async function linkUnlinked(run: Run, page: Stripe.Customer[]): Promise<void> {
  const { db, report } = run;
  const listed = page.map(({ id, metadata }) => ({
    id,
    community_id: communityIdSchema.safeParse(ownerOf(metadata)).data ?? null,
  }));
  const unlinked = await callDatabase(
    customersSchema,
    db`select billing.compare_customers(${asJson(listed)})`,
  );
  for (const { id, community_id } of unlinked) {
    const link = db`select billing.link_customer(${community_id}, ${id})`;
    if (await callDatabase(z.string().nullable(), link) !== id) continue;
    report.linkedCustomers.push({ id, communityId: community_id });
    report.processedEvents.push(...await settleEventsOf(run, id, Deadline.in(ASK_MS)));
  }
}

/** Asks for linked customers that Stripe's list did not show: it leaves out those of test clocks, and deleted ones. */
export function askForUnlisted(run: Run): Part {
  const asked = new Set<string>();
  return {
    name: "unconfirmed customers",
    async step() {
      const found = await callDatabase(
        customersSchema,
        run.db`select billing.unconfirmed_customers(${BATCH})`,
      );
      const customers = found.filter(({ id }) => !asked.has(id));
      for (const { id } of customers) asked.add(id);
      await inParallel(customers, AT_ONCE, (customer) => askForCustomer(run, customer));
      return customers.length > 0;
    },
  };
}

/** Asks whether Stripe has a customer, and stores the answer. A failure is noted, and tried again by a later run. */
export async function askForCustomer(
  { db, stripe, report }: Run,
  { id, community_id }: { id: string; community_id: string | null },
): Promise<void> {
  try {
    const state = await stateOfCustomer(stripe, id);
    if (state === "deleted") {
      const communityId = communityIdSchema.parse(community_id);
      await forgetCustomer(db, id, communityId);
      report.forgottenCustomers.push({ id, communityId });
      return;
    }
    await orUnavailable(db`select billing.note_customer(${id}, ${state === "present"})`);
    if (state === "missing") report.missingInStripe.push(id);
  } catch (error) {
    if (error instanceof BillingError && error.code === "database_unavailable") throw error;
    report.failedObjects.push({ id, error: messageOf(error) });
    await orUnavailable(
      db`select billing.note_object_failure('customer', ${id}, ${community_id}, ${messageOf(error)})`,
    );
  }
}

async function stateOfCustomer(stripe: Stripe, id: string): Promise<"present" | "deleted" | "missing"> {
  try {
    const { deleted } = await askStripe(
      Deadline.in(ASK_MS),
      (options) => stripe.customers.retrieve(id, {}, options),
    );
    return deleted ? "deleted" : "present";
  } catch (error) {
    if (!isMissing(error)) throw error;
    return "missing";
  }
}
