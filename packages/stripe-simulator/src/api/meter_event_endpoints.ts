import { z } from "zod";
import { cancelMeterEvent, receiveMeterEvent } from "../behaviour/meters/meter_event_intake.ts";
import { missingParameter } from "../wire/errors.ts";
import { oneOf, text, timestamp } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

export const meterEventEndpoints = [
  endpoint("POST /v1/billing/meter_events", {
    event_name: text(100),
    identifier: text(100).optional(),
    payload: z.record(z.string(), z.string()),
    timestamp: timestamp().optional(),
  }, ({ change, params }) => receiveMeterEvent(change, params)),

  endpoint("POST /v1/billing/meter_event_adjustments", {
    cancel: z.strictObject({ identifier: text(100).optional() }).optional(),
    event_name: text(100),
    type: oneOf("cancel"),
  }, ({ change, params }) => {
    const identifier = params.cancel?.identifier;
    if (identifier === undefined) throw missingParameter("cancel[identifier]");
    cancelMeterEvent(change, params.event_name, identifier);
    return {
      object: "billing.meter_event_adjustment",
      cancel: { identifier },
      event_name: params.event_name,
      livemode: false,
      status: "pending",
      type: "cancel",
    };
  }),
];
