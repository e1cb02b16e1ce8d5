import assert from "node:assert/strict";
import { isWrapper } from "./npm_wrapper.ts";

const commands: Record<string, boolean> = {
  "deno task dev": true,
  "/opt/deno/bin/deno task dev --json": true,
  "npm exec deno@2.9.6 task dev --ephemeral": true,
  "node /home/me/.npm/_npx/1/node_modules/.bin/npx -y deno@2.9.6 task dev": true,
  "node /project/node_modules/.bin/deno task dev": true,
  "sh -c 'deno' task dev --ephemeral": true,
  "/bin/sh -c deno task dev": true,
  "npx -y deno@2.9.6 task dev": true,
  "node /project/node_modules/deno/bin.cjs task dev": true,
  "sh -c deno task dev > log &": false,
  "sh -c cd dues && nohup deno task dev &": false,
  "node -e spawn('deno', ['task', 'dev'], { detached: true })": false,
  "node harness.js --deno task": false,
  "-bash": false,
  "bash": false,
  "bash start.sh": false,
  "node server.js": false,
  "deno run -A local/demo.ts": false,
  "vim deno task": false,
};

for (const [command, expected] of Object.entries(commands)) {
  Deno.test(`"${command}" ${expected ? "stands" : "does not stand"} between the launcher and who started it`, () => {
    assert.equal(isWrapper(command), expected);
  });
}
