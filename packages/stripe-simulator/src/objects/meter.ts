import type Stripe from "stripe";
import { newId, randomText } from "./ids.ts";
import type { Stored } from "./stored_object.ts";

export type Meter = Stored<Stripe.Billing.Meter>;
export type MeterEvent = Stored<Stripe.Billing.MeterEvent>;
export type MeterEventSummary = Stored<Stripe.Billing.MeterEventSummary>;

/** What a meter error report says. */
export type MeterErrorReport = Extract<
  Stripe.V2.Core.Event,
  { type: "v1.billing.meter.error_report_triggered" }
>["data"];
export type MeterErrorCode = MeterErrorReport["reason"]["error_types"][number]["code"];

/** A usage event as it was received. What of it counts is found out afterwards. */
export interface ReceivedMeterEvent {
  /** The event's identifier. */
  id: string;
  object: "received_meter_event";
  event: MeterEvent;
  meter: string;
  /** Whose usage it is; null while that is not known, and for good when the event is faulty. */
  customer: string | null;
  /** The second of its arrival, in the customer's time. */
  received: number;
  /** `received` waits for its check, `counted` is usage, `refused` and `canceled` are none. */
  status: "received" | "counted" | "refused" | "canceled";
  /** The idempotency key it came with: error reports name it. */
  idempotencyKey: string | null;
}

/** The faults of a meter's events that are still to be reported. */
export interface MeterErrors {
  /** The meter's id. */
  id: string;
  object: "meter_errors";
  since: number;
  /** How many there were of each kind, and the first of them. */
  kinds: { code: MeterErrorCode; count: number; samples: { message: string; request: string }[] }[];
}

export interface MeterFields {
  display_name: string;
  event_name: string;
  formula: "count" | "last" | "sum";
  event_time_window: "day" | "hour" | null;
  /** The key of an event's payload that names the customer. */
  customerKey: string;
  /** The key of an event's payload that holds the value. */
  valueKey: string;
}

export function newMeter(created: number, fields: MeterFields): Meter {
  return {
    id: newId("mtr_test", 20),
    object: "billing.meter",
    created,
    customer_mapping: { event_payload_key: fields.customerKey, type: "by_id" },
    default_aggregation: { formula: fields.formula },
    display_name: fields.display_name,
    event_name: fields.event_name,
    event_time_window: fields.event_time_window,
    livemode: false,
    status: "active",
    status_transitions: { deactivated_at: null },
    updated: created,
    value_settings: { event_payload_key: fields.valueKey },
  };
}

export function newMeterEvent(
  created: number,
  fields: Pick<MeterEvent, "event_name" | "payload" | "timestamp"> & { identifier: string | undefined },
): MeterEvent {
  return {
    object: "billing.meter_event",
    created,
    event_name: fields.event_name,
    identifier: fields.identifier ?? randomText(32),
    livemode: false,
    payload: fields.payload,
    timestamp: fields.timestamp,
  };
}
