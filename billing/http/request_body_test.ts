import assert from "node:assert/strict";
import { z } from "zod";
import { decodeUtf8, readBytes, readJson } from "./request_body.ts";

const request = (body: BodyInit) => new Request("http://localhost/", { method: "POST", body });

Deno.test("readBytes() returns the body as sent, also when a chunk ends within a character", async () => {
  const bytes = new TextEncoder().encode("€ and 💶");
  const parts = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });
  assert.equal(decodeUtf8(await readBytes(request(parts), 100)), "€ and 💶");
});

Deno.test("readBytes() refuses a body above the limit, whatever length it declares", async () => {
  await assert.rejects(readBytes(request("x".repeat(11)), 10), { code: "payload_too_large" });
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1000)),
  });
  await assert.rejects(readBytes(request(endless), 5000), { code: "payload_too_large" });
  assert.equal((await readBytes(request("x".repeat(10)), 10)).byteLength, 10);
});

Deno.test("readBytes() waits no longer than its deadline for a body that does not end", async () => {
  const silent = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(1)),
  });
  await assert.rejects(readBytes(request(silent), 100, 50), { code: "body_timeout" });
});

Deno.test("readBytes() tells when the connection ends before the body", async () => {
  const broken = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error("reset")),
  });
  await assert.rejects(readBytes(request(broken), 100), { code: "incomplete_body" });
});

Deno.test("decodeUtf8() refuses a byte order mark and bytes that are no UTF-8", () => {
  assert.equal(decodeUtf8(new Uint8Array([0x7b, 0x7d])), "{}");
  for (const bytes of [[0xef, 0xbb, 0xbf, 0x7b, 0x7d], [0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf]]) {
    assert.equal(decodeUtf8(new Uint8Array(bytes)), undefined, bytes.join());
  }
});

Deno.test("readJson() refuses what is not JSON, and JSON that does not fit the schema", async () => {
  const schema = z.strictObject({ name: z.string() });
  assert.deepEqual(await readJson(request('{"name":"a"}'), schema), { name: "a" });
  await assert.rejects(readJson(request("{"), schema), { code: "invalid_json" });
  await assert.rejects(readJson(request(""), schema), { code: "invalid_json" });
  await assert.rejects(readJson(request('\ufeff{"name":"a"}'), schema), { code: "invalid_json" });
  await assert.rejects(readJson(request(new Uint8Array([0x22, 0xff, 0x22])), schema), {
    code: "invalid_json",
  });
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
