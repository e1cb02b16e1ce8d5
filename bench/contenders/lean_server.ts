/**
 * The lean handler that the webhook is compared with: Deno.serve, node:crypto, one call of lean.sql's function. Run with
 * BENCH_DB_URL and BENCH_SECRET, and the port as its argument. A pool of ten connections, as the plugin server has.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import pg from "pg";

const TOLERANCE_SECONDS = 300;
const secret = Deno.env.get("BENCH_SECRET")!;
const pool = new pg.Pool({ connectionString: Deno.env.get("BENCH_DB_URL"), max: 10 });

function isSigned(body: string, header: string): boolean {
  const parts = header.split(",").map((part) => part.split("=", 2));
  const timestamp = parts.find(([name]) => name === "t")?.[1] ?? "";
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS)) return false;
  const expected = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest();
  return parts.some(([name, value]) => {
    const given = name === "v1" ? Buffer.from(value, "hex") : null;
    return given?.length === expected.length && timingSafeEqual(given, expected);
  });
}

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0]), onListen: () => {} }, async (request) => {
  if (request.method !== "POST") return new Response(null, { status: 405 });
  const body = await request.text();
  if (!isSigned(body, request.headers.get("stripe-signature") ?? "")) {
    return new Response(null, { status: 400 });
  }
  const { id, type, created, data: { object } } = JSON.parse(body);
  const item = object.items.data[0];
  const { rows: [{ outcome }] } = await pool.query({
    name: "apply",
    text: "select apply_event($1, $2, $3, $4, $5, $6, $7, $8) as outcome",
    values: [
      id,
      type,
      created,
      object.id,
      object.customer,
      item.price.id,
      object.status,
      item.current_period_end,
    ],
  });
  return Response.json({ received: true, outcome });
});
