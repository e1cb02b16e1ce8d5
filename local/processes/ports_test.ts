import assert from "node:assert/strict";
import { LocalError } from "../errors.ts";
import { freePorts, requireFreePorts } from "./ports.ts";

Deno.test("freePorts() finds different ports that can be listened on", () => {
  const ports = freePorts(20);
  assert.equal(new Set(ports).size, 20);
  for (const port of ports) Deno.listen({ hostname: "127.0.0.1", port }).close();
});

Deno.test("requireFreePorts() names every port that is taken", async () => {
  const [free, ...taken] = freePorts(3);
  using _first = Deno.listen({ hostname: "127.0.0.1", port: taken[0] });
  using _second = Deno.listen({ hostname: "127.0.0.1", port: taken[1] });
  await requireFreePorts({ parent: free });
  await assert.rejects(requireFreePorts({ parent: free, plugin: taken[0], stripe: taken[1] }), (error) => {
    assert(error instanceof LocalError);
    assert.match(
      error.message,
      RegExp(`Ports ${taken[0]} \\(plugin\\) and ${taken[1]} \\(stripe\\) are in use`),
    );
    return true;
  });
});

Deno.test("requireFreePorts() waits for a port that is freed in a moment", async () => {
  const [port] = freePorts(1);
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  setTimeout(() => listener.close(), 50);
  await requireFreePorts({ parent: port });
});
