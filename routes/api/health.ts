import { version } from "../../billing/version.ts";
import { get } from "../../server/methods.ts";

/** Answers 200 as long as the process runs. What it needs of others is answered by /api/ready. */
export const handler = get(() =>
  Response.json({ ok: true, version }, { headers: { "cache-control": "no-store" } })
);
