import assert from "node:assert/strict";
import { Collection } from "./collection.ts";
import { IdempotencyKeys } from "./idempotency_keys.ts";

const reply = { status: 200, body: "{}" };
const day = 24 * 60 * 60;

Deno.test("IdempotencyKeys.begin() returns the saved reply for the same request", () => {
  const keys = new IdempotencyKeys(new Collection("key", () => {}));
  assert.equal(keys.begin("k", "a=1", 0), undefined);
  keys.finish("k", reply);
  assert.deepEqual(keys.begin("k", "a=1", 1), reply);
});

Deno.test("IdempotencyKeys.begin() throws 400 for a key with other parameters", () => {
  const keys = new IdempotencyKeys(new Collection("key", () => {}));
  keys.begin("k", "a=1", 0);
  keys.finish("k", reply);
  assert.throws(() => keys.begin("k", "a=2", 1), { status: 400, type: "idempotency_error" });
});

Deno.test("IdempotencyKeys.begin() throws 409 while the first request is running", () => {
  const keys = new IdempotencyKeys(new Collection("key", () => {}));
  keys.begin("k", "a=1", 0);
  assert.throws(() => keys.begin("k", "a=1", 1), {
    status: 409,
    details: { code: "idempotency_key_in_use" },
  });
});

Deno.test("IdempotencyKeys.begin() forgets a key after a day", () => {
  const keys = new IdempotencyKeys(new Collection("key", () => {}));
  keys.begin("k", "a=1", 0);
  keys.finish("k", reply);
  assert.equal(keys.begin("k", "a=2", day), undefined);
});

Deno.test("IdempotencyKeys.begin() throws 400 for a key of more than 255 characters", () => {
  assert.throws(() => new IdempotencyKeys(new Collection("key", () => {})).begin("k".repeat(256), "a=1", 0), {
    status: 400,
  });
});
