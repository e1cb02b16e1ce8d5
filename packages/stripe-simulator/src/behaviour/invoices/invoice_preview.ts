import type { Change } from "../../account/change.ts";
import { newId } from "../../objects/ids.ts";
import type { Invoice } from "../../objects/invoice.ts";
import type { InvoiceItem } from "../../objects/invoice_item.ts";
import type { Subscription } from "../../objects/subscription.ts";
import { scheduledEntry } from "../schedules/phase_entry.ts";
import { renewalLines } from "../subscriptions/renewal.ts";
import { type DraftFields, planDraft } from "./invoice_draft.ts";

/** What a preview assumes in place of what is stored. */
export type PreviewFields = Pick<DraftFields, "coupons" | "customer" | "taxIds">;

/** Returns the invoice of a subscription's next renewal if nothing else changes until then. */
export function previewRenewal(
  change: Change,
  subscription: Subscription,
  { items = [], ...fields }: PreviewFields & { items?: InvoiceItem[] } = {},
): Invoice {
  const end = Math.min(...subscription.items.data.map((item) => item.current_period_end));
  const [ending] = subscription.items.data.filter((item) => item.current_period_end === end);
  const { next, prorations, coupons: scheduled } = scheduledEntry(change.at(end), subscription) ??
    { next: subscription, prorations: [], coupons: undefined };
  return asPreview(planDraft(change.at(end), next, {
    ...fields,
    coupons: fields.coupons ?? scheduled,
    items: [...items, ...prorations],
    linesOf: (id) => renewalLines(change.account, { ending: subscription, next }, id, end),
    billingReason: "upcoming",
    period: { start: ending.current_period_start, end },
  }));
}

/** Returns the draft as a preview, with an id that cannot be retrieved. */
export function asPreview(draft: Invoice): Invoice {
  const id = newId("upcoming_in");
  const data = draft.lines.data.map((line) => ({ ...line, invoice: id }));
  return { ...draft, id, lines: { ...draft.lines, data, url: `/v1/invoices/${id}/lines` } };
}
