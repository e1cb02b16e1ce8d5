import assert from "node:assert/strict";
import { cpuMs, disturbanceBetween, fileSystemOf, hasAccounts, memoryMb, ownCpuMs } from "./machine.ts";

const SPIN_MS = 300;
const spin = `import process from "node:process";
while (process.cpuUsage().user < ${SPIN_MS * 1000});
console.log("spun");
if (Deno.args[0] === "stay") await new Promise((resolve) => setTimeout(resolve, 60_000));`;

function spinElsewhere(...args: string[]) {
  return new Deno.Command(Deno.execPath(), { args: ["eval", spin, ...args], stdout: "piped", stderr: "null" })
    .spawn();
}

Deno.test({
  name: "cpuMs() counts what a process computes, and 0 for a process that does not exist",
  ignore: !hasAccounts,
  fn: async () => {
    const child = spinElsewhere("stay");
    const reader = child.stdout.getReader();
    await reader.read();
    assert.ok(cpuMs([child.pid]) >= SPIN_MS - 20);
    assert.ok(memoryMb(child.pid) > 5 && memoryMb(child.pid) < 1000);
    assert.equal(cpuMs([2 ** 30]), 0);
    await reader.cancel();
    child.kill();
    await child.status;
  },
});

Deno.test({
  name: "ownCpuMs() counts a child that has ended",
  ignore: !hasAccounts,
  fn: async () => {
    const before = ownCpuMs();
    await spinElsewhere().output();
    assert.ok(ownCpuMs() - before >= SPIN_MS - 20);
  },
});

Deno.test("disturbanceBetween() takes neither steal nor the benchmark's own time for foreign", () => {
  const before = { total: 1000, busy: 500, steal: 10, ours: 100 };
  const after = { total: 3000, busy: 2100, steal: 210, ours: 1300 };
  assert.deepEqual(disturbanceBetween(before, after), { foreign: 0.1, steal: 0.1 });
  assert.deepEqual(disturbanceBetween(before, { ...before, total: 2000, busy: 600, ours: 250 }), {
    foreign: 0,
    steal: 0,
  });
});

Deno.test({
  name: "fileSystemOf() tells memory from disk",
  ignore: !hasAccounts,
  fn: () => assert.equal(fileSystemOf("/proc/self"), "proc"),
});
