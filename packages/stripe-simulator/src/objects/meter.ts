import type Stripe from "stripe";
import { newId, randomText } from "./ids.ts";
import type { Stored } from "./stored_object.ts";

export type Meter = Stored<Stripe.Billing.Meter>;
export type MeterEvent = Stored<Stripe.Billing.MeterEvent>;
export type MeterEventSummary = Stored<Stripe.Billing.MeterEventSummary>;

/** The data of a meter error report. */
export type MeterErrorReport = Extract<
  Stripe.V2.Core.Event,
  { type: "v1.billing.meter.error_report_triggered" }
>["data"];
export type MeterErrorCode = MeterErrorReport["reason"]["error_types"][number]["code"];

/** A meter event as it was received. It is validated later. */
export interface ReceivedMeterEvent {
  /** The event's identifier. */
  id: string;
  object: "received_meter_event";
  event: MeterEvent;
  meter: string;
  /** The customer id. Null until the event is validated, and for good when it is invalid. */
  customer: string | null;
  /** When it arrived, in seconds, by the customer's clock. */
  received: number;
  /** `received`: not validated yet. `counted`: usage. `refused` and `canceled`: not counted. */
  status: "received" | "counted" | "refused" | "canceled";
  /** The idempotency key of the request. Error reports name it. */
  idempotencyKey: string | null;
}

/** The errors of a meter's events that are not reported yet. */
export interface MeterErrors {
  /** The meter's id. */
  id: string;
  object: "meter_errors";
  since: number;
  /** The number of errors of each kind and the first few of them. */
  kinds: { code: MeterErrorCode; count: number; samples: { message: string; request: string }[] }[];
}

export interface MeterFields {
  display_name: string;
  event_name: string;
  formula: "count" | "last" | "sum";
  event_time_window: "day" | "hour" | null;
  /** The key of the payload that holds the customer id. */
  customerKey: string;
  /** The key of the payload that holds the value. */
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
