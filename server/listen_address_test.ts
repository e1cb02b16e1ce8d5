import assert from "node:assert/strict";
import { readAddress } from "./listen_address.ts";

Deno.test("readAddress() listens at this machine only unless it is told otherwise; arguments win over variables", () => {
  const at = (hostname: string, port: number, limits = {}) => ({ hostname, port, limits });
  assert.deepEqual(readAddress([], {}), at("127.0.0.1", 8000));
  assert.deepEqual(readAddress([], { HOST: "", PORT: "" }), at("127.0.0.1", 8000));
  assert.deepEqual(readAddress([], { HOST: "0.0.0.0", PORT: "9000" }), at("0.0.0.0", 9000));
  assert.deepEqual(readAddress(["--port=9001", "--host", "::1"], { HOST: "a", PORT: "1" }), at("::1", 9001));
  assert.deepEqual(readAddress(["--hostname=0.0.0.0"], { PORT: "0" }), at("0.0.0.0", 0));
  assert.deepEqual(
    readAddress(["--max-connections", "100"], {}),
    at("127.0.0.1", 8000, { maxConnections: 100 }),
  );
});

Deno.test("readAddress() refuses what is no address", () => {
  const wrong: [string[], Record<string, string>][] = [
    [["--port=x"], {}],
    [["--port=65536"], {}],
    [["--port=-1"], {}],
    [[], { PORT: "80a" }],
    [["--host=a b"], {}],
    [["--max-connections=3"], {}],
    [["--unknown"], {}],
    [["file"], {}],
  ];
  for (const [args, env] of wrong) {
    assert.throws(() => readAddress(args, env), { name: "ListenAddressError" }, args.join());
  }
});
