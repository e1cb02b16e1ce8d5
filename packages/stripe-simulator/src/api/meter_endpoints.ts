import { z } from "zod";
import { summarize } from "../behaviour/meters/meter_event_intake.ts";
import { type Meter, newMeter } from "../objects/meter.ts";
import { invalidRequest } from "../wire/errors.ts";
import { paginate } from "../wire/pagination.ts";
import { oneOf, pagination, text, timestamp } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v1/billing/meters";

const windows = { hour: 3600, day: 86_400 };
const minute = 60;

export const meterEndpoints = [
  endpoint(`POST ${path}`, {
    customer_mapping: z.strictObject({ event_payload_key: text(100), type: oneOf("by_id") }).optional(),
    default_aggregation: z.strictObject({ formula: oneOf("count", "last", "sum") }),
    display_name: text(250),
    event_name: text(100),
    event_time_window: oneOf("day", "hour").optional(),
    value_settings: z.strictObject({ event_payload_key: text(100) }).optional(),
  }, ({ account, change, params }) => {
    if (account.meters.oldestFirst().some(({ event_name }) => event_name === params.event_name)) {
      throw invalidRequest(`A meter with the event name ${params.event_name} already exists.`, {
        param: "event_name",
        code: "resource_already_exists",
      });
    }
    const meter = account.meters.put(newMeter(change.now, {
      display_name: params.display_name,
      event_name: params.event_name,
      formula: params.default_aggregation.formula,
      event_time_window: params.event_time_window ?? null,
      customerKey: params.customer_mapping?.event_payload_key ?? "stripe_customer_id",
      valueKey: params.value_settings?.event_payload_key ?? "value",
    }));
    change.emit("billing.meter.created", meter);
    return meter;
  }),

  endpoint(`GET ${path}`, { ...pagination, status: oneOf("active", "inactive").optional() }, (call) => {
    const { account, params } = call;
    const found = account.meters.newestFirst().filter(({ status }) =>
      params.status === undefined || status === params.status
    );
    return paginate(found, params, path);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => account.meters.get(id)),

  endpoint(`POST ${path}/:id`, { display_name: text(250).optional() }, ({ account, change, params, id }) => {
    const before = account.meters.get(id);
    const after = account.meters.put({ ...before, ...params, updated: change.now });
    change.emit("billing.meter.updated", after, before);
    return after;
  }),

  endpoint(`POST ${path}/:id/deactivate`, {}, ({ account, change, id }) => {
    const before = account.meters.get(id);
    rejectUnless(before, "active");
    const after = account.meters.put({
      ...before,
      status: "inactive",
      status_transitions: { deactivated_at: change.now },
      updated: change.now,
    });
    change.emit("billing.meter.deactivated", after);
    return after;
  }),

  endpoint(`POST ${path}/:id/reactivate`, {}, ({ account, change, id }) => {
    const before = account.meters.get(id);
    rejectUnless(before, "inactive");
    const after = account.meters.put({
      ...before,
      status: "active",
      status_transitions: { deactivated_at: null },
      updated: change.now,
    });
    change.emit("billing.meter.reactivated", after);
    return after;
  }),

  endpoint(`GET ${path}/:id/event_summaries`, {
    ...pagination,
    customer: text(),
    end_time: timestamp(),
    start_time: timestamp(),
    value_grouping_window: oneOf("day", "hour").optional(),
  }, ({ account, params, id }) => {
    const meter = account.meters.get(id);
    account.customers.getReferenced(params.customer, "customer");
    const window = params.value_grouping_window && windows[params.value_grouping_window];
    rejectUnaligned(params, window ?? minute);
    const { customer, start_time: start, end_time: end } = params;
    const summaries = summarize(account, meter, { customer, start, end, window });
    return paginate(summaries, params, `${path}/${id}/event_summaries`);
  }),
];

function rejectUnless(meter: Meter, status: Meter["status"]) {
  if (meter.status === status) return;
  throw invalidRequest(`The meter is ${meter.status} already.`);
}

function rejectUnaligned(times: { start_time: number; end_time: number }, unit: number) {
  for (const param of ["start_time", "end_time"] as const) {
    if (times[param] % unit === 0) continue;
    const name = { [minute]: "minute", [windows.hour]: "hour", [windows.day]: "day (UTC)" }[unit];
    throw invalidRequest(`\`${param}\` must be aligned with the boundary of a ${name}.`, { param });
  }
  if (times.start_time >= times.end_time) {
    throw invalidRequest("`end_time` must be after `start_time`.", { param: "end_time" });
  }
}
