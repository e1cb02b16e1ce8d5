import { Deadline, REQUEST_MS } from "../../billing/deadline.ts";
import { BillingError } from "../../billing/errors.ts";
import { problemOf } from "../../billing/http/problem.ts";
import { define } from "../../server/page_context.ts";

/** What a handler waits for ends this much earlier, so that it can still say what did not answer. */
const MARGIN_MS = 1_000;

/**
 * Turns what handlers throw into problem documents, and answers in any case before the caller gives up. Answers are never
 * cached, because each is for one person only.
 */
export default define.middleware(async (ctx) => {
  ctx.state.deadline = Deadline.in(REQUEST_MS - MARGIN_MS);
  try {
    const response = await Deadline.in(REQUEST_MS).orLate(ctx.next(), tooLate);
    response.headers.set("cache-control", "no-store");
    return response;
  } catch (error) {
    return problemOf(error);
  }
});

const tooLate = () =>
  new BillingError("request_timed_out", "This took longer than it may. Try again in a moment.");
