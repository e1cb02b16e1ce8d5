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

Deno.test("readJson() refuses text that cannot be stored: NUL, half surrogate pairs, bytes that are not UTF-8", async () => {
  const anything = z.unknown();
  for (const body of ['"a\\u0000b"', '{"\\u0000":1}', '["\\ud800"]', '"\\udc00\\ud800"']) {
    await assert.rejects(readJson(request(body), anything), { code: "invalid_text" });
  }
  assert.equal(await readJson(request('"\\ud83c\\udf3b"'), anything), "🌻");
  // The encoding of a lone surrogate, and a byte that never occurs.
  for (const bytes of [[0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xff, 0x22]]) {
    await assert.rejects(readJson(request(new Uint8Array(bytes)), anything), { code: "invalid_json" });
  }
});
