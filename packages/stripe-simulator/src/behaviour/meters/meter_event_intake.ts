import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import {
  type Meter,
  type MeterErrorCode,
  type MeterErrorReport,
  type MeterErrors,
  type MeterEvent,
  type MeterEventSummary,
  newMeterEvent,
  type ReceivedMeterEvent,
} from "../../objects/meter.ts";
import { isoTime } from "../../objects/stored_object.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { aggregate } from "./metered_usage.ts";

const daySeconds = 86_400;
const furthestBack = 35 * daySeconds;
const furthestAhead = 5 * 60;
const cancelableFor = daySeconds;
const mostDigits = 15;
const mostSamples = 5;

/**
 * Receives a meter event. It is validated later; here it is refused with a 400 only when no active meter has its
 * event name, when its identifier was used before, or when its timestamp is not allowed.
 */
export function receiveMeterEvent(
  cause: Change,
  fields: Pick<MeterEvent, "event_name" | "payload"> & { identifier?: string; timestamp?: number },
): MeterEvent {
  const { account } = cause;
  const meter = activeMeter(account, fields.event_name);
  const customer = fields.payload[meter.customer_mapping.event_payload_key];
  const change = cause.of({ customer });
  const timestamp = fields.timestamp ?? change.now;
  rejectTimestamp(timestamp, change.now);
  if (fields.identifier !== undefined && account.meterEvents.find(fields.identifier)) {
    throw invalidRequest(`An event already exists with identifier ${fields.identifier}.`, {
      param: "identifier",
    });
  }
  const { event_name, payload, identifier } = fields;
  const event = newMeterEvent(change.now, { event_name, payload, timestamp, identifier });
  account.meterEvents.put({
    id: event.identifier,
    object: "received_meter_event",
    event,
    meter: meter.id,
    customer: null,
    received: change.now,
    status: "received",
    idempotencyKey: cause.cause.idempotency_key,
  });
  return event;
}

/** Cancels a meter event. Throws a 400 when there is no such event or it was received more than a day ago. */
export function cancelMeterEvent(cause: Change, eventName: string, identifier: string) {
  const { meterEvents } = cause.account;
  const received = meterEvents.find(identifier);
  const isCancelable = received?.event.event_name === eventName && received.status !== "canceled";
  if (!isCancelable) {
    throw invalidRequest(`No event with identifier ${identifier} can be canceled.`, {
      param: "cancel[identifier]",
    });
  }
  if (received.received < cause.of({ customer: received.customer }).now - cancelableFor) {
    throw invalidRequest("Events can only be canceled within 24 hours of being received.", {
      param: "cancel[identifier]",
    });
  }
  meterEvents.put({ ...received, status: "canceled" });
}

/** Validates a received event: it is counted, or refused and its error recorded. */
export function checkMeterEvent(change: Change, received: ReceivedMeterEvent) {
  const { account } = change;
  const meter = account.meters.get(received.meter);
  const error = errorOf(account, meter, received.event);
  if (error) {
    account.meterEvents.put({ ...received, status: "refused" });
    recordError(change, received, error);
  } else {
    const customer = received.event.payload[meter.customer_mapping.event_payload_key];
    account.meterEvents.put({ ...received, customer, status: "counted" });
  }
}

/** Reports the errors of a meter's events in a thin event. There is no snapshot event for it. */
export function reportMeterErrors(change: Change, { id, since, kinds }: MeterErrors) {
  const { account } = change;
  const count = kinds.reduce((sum, kind) => sum + kind.count, 0);
  const report: MeterErrorReport = {
    developer_message_summary: `There ${count === 1 ? "is 1 invalid event" : `are ${count} invalid events`}`,
    reason: {
      error_count: count,
      error_types: kinds.map(({ code, count, samples }) => ({
        code,
        error_count: count,
        sample_errors: samples.map(({ message, request }) => ({
          error_message: message,
          request: { identifier: request },
        })),
      })),
    },
    validation_end: isoTime(change.now),
    validation_start: isoTime(since),
  };
  account.meterErrors.remove(id);
  change.emitThin("v1.billing.meter.error_report_triggered", account.meters.get(id), report);
}

/**
 * Summarizes the usage between two times: as a whole, or for each window in which there was usage, the latest first.
 * Times and window are in seconds.
 */
export function summarize(
  account: Account,
  meter: Meter,
  { customer, start, end, window }: { customer: string; start: number; end: number; window?: number },
): MeterEventSummary[] {
  const events = account.meterEvents.of(`${meter.id}:${customer}`).filter(({ event, status }) =>
    status === "counted" && event.timestamp >= start && event.timestamp < end
  );
  if (window === undefined) return [newSummary(meter, customer, { start, end }, events)];
  const byWindow = Map.groupBy(events, ({ event }) => Math.floor(event.timestamp / window) * window);
  return [...byWindow].sort(([a], [b]) => b - a).map(([from, inside]) =>
    newSummary(meter, customer, { start: from, end: from + window }, inside)
  );
}

function newSummary(
  meter: Meter,
  customer: string,
  { start, end }: { start: number; end: number },
  events: ReceivedMeterEvent[],
): MeterEventSummary {
  return {
    id: `mtrusg_test_${meter.id.slice(-8)}${customer.slice(-8)}${start}${end}`,
    object: "billing.meter_event_summary",
    aggregated_value: Number(aggregate(meter, events)),
    end_time: end,
    livemode: false,
    meter: meter.id,
    start_time: start,
  };
}

function activeMeter(account: Account, eventName: string): Meter {
  const meter = account.meters.oldestFirst().find(({ event_name, status }) =>
    event_name === eventName && status === "active"
  );
  if (meter) return meter;
  throw invalidRequest(`No active meter found for event name ${eventName}.`, { param: "event_name" });
}

function rejectTimestamp(timestamp: number, now: number) {
  if (timestamp < now - furthestBack) {
    throw invalidRequest(
      "The event timestamp cannot be more than 35 days in past. Expected a timestamp greater than or equal to " +
        `${now - furthestBack}.`,
      { param: "timestamp" },
    );
  }
  if (timestamp > now + furthestAhead) {
    throw invalidRequest(
      "The event timestamp cannot be more than 5 minutes in the future. Expected a timestamp less than or equal to " +
        `${now + furthestAhead}.`,
      { param: "timestamp" },
    );
  }
}

interface EventError {
  code: MeterErrorCode;
  message: string;
}

function errorOf(account: Account, meter: Meter, { payload }: MeterEvent): EventError | null {
  const customerKey = meter.customer_mapping.event_payload_key;
  const valueKey = meter.value_settings.event_payload_key;
  const customer = payload[customerKey];
  const value = payload[valueKey];
  if (meter.status !== "active") return { code: "archived_meter", message: "The meter is not active." };
  if (customer === undefined || customer === "") {
    return { code: "meter_event_no_customer_defined", message: `The payload has no ${customerKey}.` };
  }
  if (!account.customers.find(customer)) {
    return { code: "meter_event_customer_not_found", message: `No such customer: ${customer}` };
  }
  if (meter.default_aggregation.formula === "count") return null;
  if (value === undefined || !/^-?\d+(\.\d+)?$/.test(value)) {
    return { code: "meter_event_invalid_value", message: `The payload's ${valueKey} is not a number.` };
  }
  if (value.replace(/\D/g, "").length > mostDigits) {
    return { code: "meter_event_value_too_many_digits", message: `${valueKey} has more than 15 digits.` };
  }
  return null;
}

/** Records an error for the next report. The report names the request, not the event. */
function recordError({ account, now }: Change, received: ReceivedMeterEvent, { code, message }: EventError) {
  const before = account.meterErrors.find(received.meter);
  const kind = before?.kinds.find((kind) => kind.code === code) ?? { code, count: 0, samples: [] };
  const sample = { message, request: received.idempotencyKey ?? received.id };
  const samples = [...kind.samples, sample].slice(0, mostSamples);
  const others = before?.kinds.filter((kind) => kind.code !== code) ?? [];
  account.meterErrors.put({
    id: received.meter,
    object: "meter_errors",
    since: before?.since ?? now,
    kinds: [...others, { code, count: kind.count + 1, samples }],
  });
}
