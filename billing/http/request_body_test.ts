import assert from "node:assert/strict";
import { z } from "zod";
import { readJson, readText } from "./request_body.ts";

const request = (body: BodyInit) => new Request("http://localhost/", { method: "POST", body });

Deno.test("readText() returns the body as sent, also when a chunk ends within a character", async () => {
  const bytes = new TextEncoder().encode("€ and 💶");
  const parts = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });
  assert.equal(await readText(request(parts), 100), "€ and 💶");
});

Deno.test("readText() refuses a body above the limit, whatever length it declares", async () => {
  await assert.rejects(readText(request("x".repeat(11)), 10), { code: "payload_too_large" });
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1000)),
  });
  await assert.rejects(readText(request(endless), 5000), { code: "payload_too_large" });
  assert.equal(await readText(request("x".repeat(10)), 10), "x".repeat(10));
});

Deno.test("readJson() refuses what is not JSON, and JSON that does not fit the schema", async () => {
  const schema = z.strictObject({ name: z.string() });
  assert.deepEqual(await readJson(request('{"name":"a"}'), schema), { name: "a" });
  await assert.rejects(readJson(request("{"), schema), { code: "invalid_json" });
  await assert.rejects(readJson(request(""), schema), { code: "invalid_json" });
  for (const body of ["[]", "null", '{"name":1}', '{"name":"a","more":1}']) {
    await assert.rejects(readJson(request(body), schema), { code: "invalid_request" });
  }
});
