/** What happened lately: events, usage that waits, anomalies. */
import Stripe from "stripe";
import { handledEventTypes } from "../events/read_event.ts";
import { type Check, doubtful, type Finding, foundOr, right, skipped, wrong } from "./check.ts";

const group = "activity";
/** Stripe delivers within seconds; what is older than this did not arrive. */
const ARRIVAL_SECONDS = 300;
const HOUR_SECONDS = 3600;

const ago = (seconds: number) =>
  seconds < 120
    ? `${Math.round(seconds)} seconds`
    : seconds < 7200
    ? `${Math.round(seconds / 60)} minutes`
    : `${Math.round(seconds / 3600)} hours`;

export const activityChecks: Check[] = [
  {
    group,
    name: "last event",
    docs: "docs/operate.md#events",
    needs: ["stripe", "schema"],
    async run({ stripe, operator, options }) {
      const until = Math.floor(options.now() / 1000) - ARRIVAL_SECONDS;
      let listed: Stripe.Event[];
      try {
        // Stripe takes at most 20 types.
        const types = [
          "customer.subscription.created",
          "customer.subscription.updated",
          "customer.subscription.deleted",
          "invoice.paid",
        ]
          .filter((type) => (handledEventTypes as string[]).includes(type));
        listed = (await stripe!.events.list({ types, created: { lte: until }, limit: 20 })).data;
      } catch (error) {
        if (error instanceof Stripe.errors.StripePermissionError) {
          return skipped("Not checked: the key may not read events.");
        }
        throw error;
      }
      const known = await operator!<{ id: string }[]>`
        select id from billing.stripe_events where id = any (${listed.map(({ id }) => id)})`;
      const ids = new Set(known.map(({ id }) => id));
      const lost = listed.filter(({ id }) => !ids.has(id));
      if (lost.length > 0) {
        return {
          found: [wrong(
            `${lost.length} of Stripe's last ${listed.length} events did not arrive, such as ${
              lost[0].type
            } ${lost[0].id} of ${ago(Math.floor(options.now() / 1000) - lost[0].created)} ago.`,
            "deno task reconcile takes them in. If it happens again, look at the webhook's findings.",
          )],
        };
      }
      const [last] = await operator!<{ age: string }[]>`
        select extract(epoch from now() - max(received_at))::text as age from billing.stripe_events
        having max(received_at) is not null`;
      return right(
        last
          ? `The last event arrived ${ago(Number(last.age))} ago, and none is missing.`
          : "No event has been sent yet.",
      );
    },
  },
  {
    group,
    name: "open events",
    docs: "docs/operate.md#events",
    needs: ["schema"],
    async run({ operator }) {
      const rows = await operator!<{ outcome: string; count: string; age: string }[]>`
        select outcome, count(*) as count, extract(epoch from now() - min(received_at))::text as age
        from billing.stripe_events where outcome in ('pending', 'failed', 'given_up') group by outcome order by outcome`;
      const found = rows.flatMap(({ outcome, count, age }): Finding[] => {
        if (outcome === "pending" && Number(age) < HOUR_SECONDS) return [];
        return [doubtful(
          outcome === "pending"
            ? `${count} events wait for an answer of Stripe's, the oldest for ${ago(Number(age))}.`
            : `${count} events were not understood, the oldest ${ago(Number(age))} ago.`,
          "select id, type, reason from billing.stripe_events where outcome = '" + outcome +
            "'; then deno task events:replay.",
        )];
      });
      return foundOr(found, "Every event that arrived was settled.");
    },
  },
  {
    group,
    name: "outbox of usage",
    docs: "docs/metered-billing.md",
    needs: ["schema"],
    async run({ operator }) {
      const found: Finding[] = [];
      const [due] = await operator!<{ count: string; age: string }[]>`
        select count(*) as count, extract(epoch from now() - min(due_at))::text as age from billing.usage_reports
        where state in ('open', 'claimed') and due_at <= now() and quantity > 0 having count(*) > 0`;
      if (due && Number(due.age) > HOUR_SECONDS) {
        found.push(wrong(
          `${due.count} usage reports wait to be sent, the oldest for ${
            ago(Number(due.age))
          }: after the period's end they are not billed.`,
          "Look at the schedules' findings, and at the error in unsent_usage_reports.",
        ));
      }
      const [refused] = await operator!<{ count: string }[]>`
        select count(*) as count from billing.usage_reports where state in ('refused', 'given_up') having count(*) > 0`;
      if (refused) {
        found.push(doubtful(
          `Stripe refused ${refused.count} usage reports: that use is not billed.`,
          "Mend the cause (column error of unsent_usage_reports), then deno task usage:resend --all.",
        ));
      }
      return foundOr(found, "No usage waits to be reported for longer than it should.");
    },
  },
  {
    group,
    name: "anomalies",
    docs: "docs/operate.md#anomalies",
    needs: ["schema"],
    async run({ operator }) {
      const rows = await operator!<{ kind: string; count: string; detail: string }[]>`
        select kind, count(*) as count, min(detail) as detail from billing.anomalies
        where resolved_at is null group by kind order by kind`;
      return foundOr(
        rows.map(({ kind, count, detail }) =>
          doubtful(
            `${count} open ${Number(count) === 1 ? "anomaly" : "anomalies"} of kind ${kind}: ${
              detail.slice(0, 160)
            }`,
            "select * from billing.anomalies where resolved_at is null;",
          )
        ),
        "No anomaly is open.",
      );
    },
  },
];
