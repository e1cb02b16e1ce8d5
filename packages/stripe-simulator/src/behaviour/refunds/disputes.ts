import type { Change } from "../../account/change.ts";
import { type Dispute, newDispute } from "../../objects/dispute.ts";
import type { Charge } from "../../objects/payment.ts";
import { invalidRequest } from "../../wire/errors.ts";

/** Disputes a charge, as the card's bank does for its customer. The money is withdrawn immediately. */
export function disputeCharge(change: Change, charge: Charge, reason = "fraudulent"): Dispute {
  const { account } = change;
  if (!charge.paid || charge.disputed) {
    throw invalidRequest("Only a paid charge that is not disputed yet can be disputed.", { param: "charge" });
  }
  account.charges.put({ ...charge, disputed: true });
  const dispute = account.disputes.put(newDispute(change.now, charge, reason));
  change.emit("charge.dispute.created", dispute);
  change.emit("charge.dispute.funds_withdrawn", dispute);
  return dispute;
}

/** Closes a dispute. When it is won, the money comes back. */
export function closeDispute(change: Change, before: Dispute, status: "lost" | "won"): Dispute {
  if (!isOpen(before)) throw invalidRequest(`This dispute is already closed: it is ${before.status}.`);
  const after = change.account.disputes.put({ ...before, status });
  change.emit("charge.dispute.closed", after, before);
  if (status === "won") change.emit("charge.dispute.funds_reinstated", after);
  return after;
}

/**
 * Adds evidence to a dispute. Submitted evidence with the text `winning_evidence` or `losing_evidence` closes it, as on
 * Stripe's testing page (https://docs.stripe.com/testing#disputes).
 */
export function addEvidence(
  change: Change,
  before: Dispute,
  { evidence, metadata, submits }: {
    evidence: Partial<Dispute["evidence"]>;
    metadata: Dispute["metadata"];
    submits: boolean;
  },
): Dispute {
  if (!isOpen(before)) throw invalidRequest(`This dispute is already closed: it is ${before.status}.`);
  const details = before.evidence_details;
  const after = change.account.disputes.put({
    ...before,
    evidence: { ...before.evidence, ...evidence },
    evidence_details: {
      ...details,
      has_evidence: details.has_evidence || Object.keys(evidence).length > 0,
      submission_count: details.submission_count + (submits ? 1 : 0),
    },
    metadata,
    status: submits ? "under_review" : before.status,
  });
  change.emit("charge.dispute.updated", after, before);
  const text = after.evidence.uncategorized_text;
  if (!submits || (text !== "winning_evidence" && text !== "losing_evidence")) return after;
  return closeDispute(change, after, text === "winning_evidence" ? "won" : "lost");
}

function isOpen({ status }: Dispute): boolean {
  return status !== "won" && status !== "lost";
}
