/** A payment that the bank has not answered yet. Stored until it is settled. */
export interface PendingPayment {
  /** The id of the payment intent. */
  id: string;
  object: "pending_payment";
  /** When the bank answers, in seconds. */
  at: number;
  outcome: "failed" | "succeeded";
  customer: string | null;
}

/** How long a bank takes to confirm or return a payment, in seconds. */
export const settlementSeconds = 5 * 86_400;
