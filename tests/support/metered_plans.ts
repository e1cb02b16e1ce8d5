import assert from "node:assert/strict";

export const METER = "dues_image";

/** Writes the project's plans with metered chat messages: 10 are included, each further one costs half a cent. */
export async function writeMeteredPlans(path: string) {
  const plans = await Deno.readTextFile(new URL("../../plans.toml", import.meta.url));
  const unit = 'unit = "message"';
  assert.ok(plans.includes(unit));
  const metered = `meter_event_name = "${METER}"\nincluded_quantity = 10\nunit_price_cents = 0.5`;
  await Deno.writeTextFile(path, plans.replace(unit, `${unit}\n${metered}`));
}
