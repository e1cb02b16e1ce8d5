import type { ProcessedEvent } from "../events/open_events.ts";
import type { ObjectKind } from "../events/read_event.ts";
import type { CommunityId } from "../ids.ts";

/** An object that was not stored as Stripe has it. `was` and `is` are statuses; `was` is null when it was not stored. */
export interface Repair {
  kind: ObjectKind;
  id: string;
  communityId: CommunityId;
  was: string | null;
  is: string;
}

export interface OwnedCustomer {
  id: string;
  communityId: CommunityId;
}

/** What a reconciliation found and did. */
export interface ReconcileReport {
  /** Whether everything was covered. False when the time was over or something failed: the next run goes on. */
  isComplete: boolean;
  eventsSeen: number;
  /** Events that had not been delivered. */
  missedEvents: ProcessedEvent[];
  /** Events that had been recorded and not processed. */
  processedEvents: ProcessedEvent[];
  objectsCompared: number;
  repairs: Repair[];
  /** Customers that are linked to their community now; the event or call that should have done so was lost. */
  linkedCustomers: OwnedCustomer[];
  /** Customers that were deleted in Stripe. Their communities get new ones. */
  forgottenCustomers: OwnedCustomer[];
  /** Customers, subscriptions and invoices that are stored and that Stripe does not know. */
  missingInStripe: string[];
  /** Objects that could not be brought up to date. They are tried again by later runs. */
  failedObjects: { id: string; error: string }[];
  /** Parts of the run that failed, such as a list that Stripe did not give. Later runs go on there. */
  failedParts: { part: string; error: string }[];
  expiredCheckoutSessions: string[];
  plansChanged: number;
  payloadsReduced: number;
  /** Old run reports, resolved anomalies and job histories that were deleted. */
  rowsPruned: number;
}

/** The report of a run that has found nothing yet. */
export const emptyReport = (): ReconcileReport => ({
  isComplete: true,
  eventsSeen: 0,
  missedEvents: [],
  processedEvents: [],
  objectsCompared: 0,
  repairs: [],
  linkedCustomers: [],
  forgottenCustomers: [],
  missingInStripe: [],
  failedObjects: [],
  failedParts: [],
  expiredCheckoutSessions: [],
  plansChanged: 0,
  payloadsReduced: 0,
  rowsPruned: 0,
});

/** What an error says, for a report. */
export const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error);
