import assert from "node:assert/strict";
import { createVerify, generateKeyPairSync } from "node:crypto";
import { CgPluginLibHost } from "@common-ground-dao/cg-plugin-lib-host";
import { rsaSigner } from "./rsa_signer.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

Deno.test("sign() makes the signature that Common Ground's own library makes and accepts", async () => {
  const signer = rsaSigner(privateKey);
  try {
    const library = await CgPluginLibHost.initialize(privateKey, publicKey);
    const { request, signature } = await library.signRequest({
      type: "request",
      data: { type: "userInfo" },
      iframeUid: "frame",
      pluginId: "plugin",
    });
    assert.equal(await signer.sign(request), signature);
    assert.ok(createVerify("SHA256").update("text").verify(publicKey, await signer.sign("text"), "base64"));
  } finally {
    await signer.close();
  }
});

Deno.test("sign() leaves the main thread free and refuses more than a hundred at once", async () => {
  const signer = rsaSigner(privateKey);
  try {
    await signer.sign("warm");
    let longest = 0;
    let last = performance.now();
    const clock = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const signatures = Array.from({ length: 100 }, (_, i) => signer.sign(`${i}`));
    assert.throws(() => signer.sign("one more"), { code: "too_many_requests" });
    const began = performance.now();
    await Promise.all(signatures);
    const took = performance.now() - began;
    clearInterval(clock);
    assert.ok(longest < took / 2, `the main thread stood still for ${longest} of ${took} ms`);
    assert.ok(await signer.sign("again"));
  } finally {
    await signer.close();
  }
});

Deno.test("sign() rejects when the thread cannot sign, and the next one has a new thread", async () => {
  const signer = rsaSigner("no key");
  await assert.rejects(signer.sign("text"));
  await assert.rejects(signer.sign("text"));
  await signer.close();
});
