import { advanceClock, attachToClock, deleteClock } from "../behaviour/test_clock_control.ts";
import { newTestClock } from "../objects/test_clock.ts";
import { paginate } from "../wire/pagination.ts";
import { pagination, text, timestamp } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v1/test_helpers/test_clocks";

export const testClockEndpoints = [
  endpoint(`POST ${path}`, {
    customer: text().optional(),
    frozen_time: timestamp(),
    name: text(300).optional(),
  }, ({ account, change, params }) => {
    const customer = params.customer === undefined
      ? undefined
      : account.customers.getReferenced(params.customer, "customer");
    const clock = account.testClocks.put(newTestClock(change.now, {
      frozenTime: params.frozen_time,
      name: params.name ?? null,
    }));
    change.emit("test_helpers.test_clock.created", clock);
    if (customer) attachToClock(change, customer, clock);
    return clock;
  }),

  endpoint(`GET ${path}`, pagination, ({ account, params }) => {
    return paginate(account.testClocks.newestFirst(), params, path);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => account.testClocks.get(id)),

  endpoint(`POST ${path}/:id/advance`, { frozen_time: timestamp() }, ({ account, change, params, id }) => {
    return advanceClock(change, account.testClocks.get(id), params.frozen_time);
  }),

  endpoint(`DELETE ${path}/:id`, {}, ({ account, change, id }) => {
    return deleteClock(change, account.testClocks.get(id));
  }),
];
