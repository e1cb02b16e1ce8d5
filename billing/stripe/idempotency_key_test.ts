import assert from "node:assert/strict";
import fc from "fast-check";
import { idempotencyKey } from "./idempotency_key.ts";

const communityId = fc.string({ unit: "grapheme", minLength: 1, maxLength: 128 });

Deno.test("idempotencyKey() is a header that Stripe takes, whatever the community's id", () => {
  for (const id of ["花園", "Сад", "🌻🌻", "حديقة", "x".repeat(128), "a\nb", '"]']) {
    assert.match(idempotencyKey("customer", false, id, 0, 1), /^[0-9a-f]{64}$/, id);
  }
  fc.assert(fc.property(communityId, (id) => {
    const headers = new Headers({ "idempotency-key": idempotencyKey("customer", false, id, 0, 1) });
    assert.match(headers.get("idempotency-key")!, /^[0-9a-f]{64}$/);
  }));
});

Deno.test("idempotencyKey() is the same for the same parts and another for any other parts", () => {
  const parts = fc.tuple(fc.boolean(), communityId, fc.nat(3), fc.nat(3));
  fc.assert(fc.property(parts, parts, (one, other) => {
    const isSame = JSON.stringify(one) === JSON.stringify(other);
    assert.equal(idempotencyKey("customer", ...one) === idempotencyKey("customer", ...other), isSame);
  }));
  assert.notEqual(idempotencyKey("customer", "a:1"), idempotencyKey("customer", "a", 1));
  assert.notEqual(idempotencyKey("customer", "a"), idempotencyKey("checkout", "a"));
});
